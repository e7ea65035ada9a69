import { createJobEngine } from "@nn/kernels/jobs";
import { ArgumentError, type EngineOptions } from "@nn/tensor";
import { fastTextArgs, type FastTextArgs, type ModelName } from "./args.ts";
import { Dictionary } from "./dictionary.ts";
import { FastText } from "./fasttext.ts";
import { Training, type Corpus, type TrainOptions, type TrainProgress } from "./training.ts";

export interface FastTextTrainOptions extends Partial<Omit<FastTextArgs, "model">>, TrainOptions, EngineOptions {
  /** "sup": a classifier; "sg", "cbow": word vectors. */
  model?: ModelName;
}

/** A model and how its training went. */
export interface TrainedFastText { model: FastText; progress: TrainProgress }

const PIECE = 1 << 20;
const NEWLINE = 10;

/** Bytes of a text in memory. */
export const corpusOf = (text: string | Uint8Array): Corpus => {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return {
    bytes: bytes.length,
    read(into, at) {
      const piece = bytes.subarray(at, at + into.length);
      into.set(piece);
      return piece.length;
    },
  };
};

/** Words and labels of a corpus, read in pieces. */
export function readDictionary(corpus: Corpus, args: FastTextArgs): Dictionary {
  const dictionary = new Dictionary(args);
  let piece = new Uint8Array(PIECE);
  for (let at = 0; at < corpus.bytes;) {
    const bytes = corpus.read(piece, at), last = at + bytes >= corpus.bytes;
    const end = last ? bytes : Math.max(piece.lastIndexOf(NEWLINE, bytes - 1), piece.lastIndexOf(32, bytes - 1)) + 1;
    if (end === 0) piece = new Uint8Array(2 * piece.length);  // a word longer than the piece
    else dictionary.read(piece, 0, end);
    at += end;
  }
  dictionary.finish(args);
  return dictionary;
}

/** Trains a model. Several parts of the corpus learn at the same time without locks, as in the original. */
export function trainFastText(corpus: Corpus, { model = "sup", parts, onProgress, kind, threads, isa, ...given }: FastTextTrainOptions = {}): TrainedFastText {
  const args = fastTextArgs(model, given);
  if (corpus.bytes === 0) throw new ArgumentError("fastText", "the text is empty");
  const dictionary = readDictionary(corpus, args);
  const engine = createJobEngine({ ...(kind && { kind }), ...(threads && { threads }), ...(isa && { isa }) });
  try {
    const training = new Training(engine, args, dictionary, corpus);
    const progress = training.run({ ...(parts && { parts }), ...(onProgress && { onProgress }) });
    return { model: new FastText({ args, dictionary, input: training.input, output: training.output }), progress };
  } finally {
    engine.endThreads(); // the matrices stay in its memory
  }
}
