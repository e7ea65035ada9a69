/** Model files of fastText 0.9 (`.bin`, quantised `.ftz`): version 12, and 11 of before 2017. */
import { fastTextArgs, lossCodes, modelCodes, type FastTextArgs, type LossName, type ModelName } from "./args.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { Dictionary } from "./dictionary.ts";
import { CENTROIDS, DenseMatrix, ProductQuantizer, QuantMatrix, type Matrix } from "./matrix.ts";

const MAGIC = 793712314;
const VERSION = 12, OLD_VERSION = 11;
const MOST = 2 ** 31 - 1;

/** What a file holds. Options that files do not keep (lr, minCountLabel, label, seed) have their defaults. */
export interface ModelParts {
  args: FastTextArgs;
  dictionary: Dictionary;
  /** [words + buckets, dim] */
  input: Matrix;
  /** [labels, dim]; words where there are no labels. */
  output: Matrix;
}

/**
 * The parts of a model. Dense matrices are views of `bytes` where alignment allows it; `owned` bytes are moved to where it does.
 *
 * @throws FormatError with offset and reason; nothing is allocated for sizes that the file cannot hold.
 */
export function decodeModel(bytes: Uint8Array, { owned = false }: { owned?: boolean } = {}): ModelParts {
  const file = new ByteReader(bytes, "fastText model", owned);
  const magic = file.i32("magic number");
  if (magic !== MAGIC) file.fail(`wrong magic number ${magic}, expected ${MAGIC}`, "is this a .bin or .ftz file of fastText? Text vectors (.vec) are read by decodeVectors", 0);
  const version = file.i32("version");
  if (version !== VERSION && version !== OLD_VERSION) file.fail(`version ${version} is not known, expected ${OLD_VERSION} or ${VERSION}`, undefined, 4);
  const args = readArgs(file, version);
  const dictionary = readDictionary(file, args);
  const quantized = file.flag("the mark of a quantised input");
  if (dictionary.kept !== undefined && !quantized) file.fail("the dictionary is cut but the input matrix is not quantised");
  const input = quantized ? readQuantized(file, "input") : readDense(file, "input");
  const quantizedOutput = file.flag("the mark of a quantised output") && quantized;
  const output = quantizedOutput ? readQuantized(file, "output") : readDense(file, "output");
  file.end();

  const rows = dictionary.wordCount + (dictionary.kept?.size ?? args.bucket);
  const targets = args.model === "sup" ? dictionary.labelCount : dictionary.wordCount;
  for (const [name, { rows: have, cols }, want] of [["input", input, rows], ["output", output, targets]] as const)
    if (have !== want || cols !== args.dim) file.fail(`the ${name} matrix is ${have}×${cols}, dictionary and options need ${want}×${args.dim}`);
  if (targets === 0) file.fail(args.model === "sup" ? "no labels" : "no words");
  return { args, dictionary, input, output };
}

const nameOf = <N extends string>(codes: Record<N, number>, code: number): N | undefined => (Object.keys(codes) as N[]).find((name) => codes[name] === code);

function readArgs(file: ByteReader, version: number): FastTextArgs {
  const int = (what: string, least: number): number => file.within(what, file.i32(what), least, MOST);
  const dim = int("dim", 1), ws = int("ws", 0), epoch = int("epoch", 0), minCount = int("minCount", 0), neg = int("neg", 0), wordNgrams = int("wordNgrams", 0);
  const lossCode = file.i32("loss"), loss = nameOf<LossName>(lossCodes, lossCode) ?? file.fail(`no loss has number ${lossCode}`);
  const modelCode = file.i32("model"), model = nameOf<ModelName>(modelCodes, modelCode) ?? file.fail(`no model has number ${modelCode}`);
  const bucket = int("bucket", 0), minn = int("minn", 0), longest = int("maxn", 0), lrUpdateRate = int("lrUpdateRate", 0), t = file.f64("t");
  const maxn = version === OLD_VERSION && model === "sup" ? 0 : longest;  // supervised models had no subwords then
  if (bucket === 0 && (wordNgrams > 1 || maxn > 0)) file.fail(`n-grams (wordNgrams ${wordNgrams}, maxn ${maxn}) without buckets`);
  return { ...fastTextArgs(model), dim, ws, epoch, minCount, neg, wordNgrams, loss, bucket, minn, maxn, lrUpdateRate, t };
}

function readDictionary(file: ByteReader, args: FastTextArgs): Dictionary {
  const at = file.offset, size = file.i32("number of entries"), words = file.i32("number of words"), labels = file.i32("number of labels");
  if (words < 0 || labels < 0 || words + labels !== size) file.fail(`${size} entries, but ${words} words and ${labels} labels`, undefined, at);
  const dictionary = new Dictionary(args);
  dictionary.tokens = file.within("number of tokens", file.i64("number of tokens"), 0, Number.MAX_SAFE_INTEGER);
  const kept = file.i64("number of kept buckets");
  for (let i = 0; i < size; i++) {
    const from = file.offset, to = file.bytes.indexOf(0, from);
    if (to < 0) file.fail(`word ${i} has no end`);
    file.offset = to + 1;
    const count = file.within(`count of word ${i}`, file.i64(`count of word ${i}`), 0, Number.MAX_SAFE_INTEGER), type = file.u8(`type of word ${i}`);
    if (type !== (i < words ? 0 : 1)) file.fail(`entry ${i} has type ${type}; the first ${words} of ${size} are words (0), the others labels (1)`, undefined, file.offset - 1);
    dictionary.append(file.bytes, from, to, count, type);
  }
  if (kept >= 0) {
    if (8 * kept > file.bytes.length - file.offset) file.fail(`truncated: ${kept} kept buckets do not fit`);
    dictionary.kept = new Map();
    for (let i = 0; i < kept; i++) {
      const bucket = file.i32("kept bucket"), row = file.i32("row of a kept bucket");
      dictionary.kept.set(bucket, file.within("row of a kept bucket", row, 0, kept - 1));
    }
    if (dictionary.kept.size !== kept) file.fail(`${kept} kept buckets, but only ${dictionary.kept.size} different ones`);
  }
  dictionary.complete();
  return dictionary;
}

function readSize(file: ByteReader, name: string): [rows: number, cols: number] {
  return [file.within(`rows of the ${name} matrix`, file.i64("rows"), 0, MOST), file.within(`columns of the ${name} matrix`, file.i64("columns"), 1, MOST)];
}

function readDense(file: ByteReader, name: string): DenseMatrix {
  const [rows, cols] = readSize(file, name);
  return new DenseMatrix(rows, cols, file.f32(rows * cols, `the ${name} matrix, ${rows}×${cols}`));
}

function readQuantized(file: ByteReader, name: string): QuantMatrix {
  const withNorms = file.flag("the mark of quantised norms"), [rows, cols] = readSize(file, name), at = file.offset;
  const codes = file.take(file.within("number of codes", file.i32("number of codes"), 0, MOST), `codes of the ${name} matrix`);
  const quantizer = readQuantizer(file);
  if (quantizer.dim !== cols || codes.length !== rows * quantizer.parts) file.fail(`${codes.length} codes of ${quantizer.dim} columns for a matrix of ${rows}×${cols}`, undefined, at);
  if (!withNorms) return new QuantMatrix(rows, cols, codes, quantizer);
  const norms = { codes: file.take(rows, `codes of the ${name} matrix's norms`), quantizer: readQuantizer(file) };
  if (norms.quantizer.dim !== 1) file.fail(`the quantiser of norms has ${norms.quantizer.dim} dimensions`);
  return new QuantMatrix(rows, cols, codes, quantizer, norms);
}

function readQuantizer(file: ByteReader): ProductQuantizer {
  const at = file.offset, dim = file.within("dimensions of a quantiser", file.i32("dim"), 1, MOST);
  const parts = file.i32("number of parts"), partSize = file.within("size of a part", file.i32("size of a part"), 1, MOST), last = file.i32("size of the last part");
  const quantizer = new ProductQuantizer(dim, partSize, file.f32(dim * CENTROIDS, "centroids"));
  if (quantizer.parts !== parts || quantizer.lastSize !== last) file.fail(`${dim} dimensions are not ${parts} parts of ${partSize}, the last of ${last}`, undefined, at);
  return quantizer;
}

/** A model as a file of version 12, in pieces to be written one behind the other: .ftz where the input is quantised, else .bin. */
export function encodeModel({ args, dictionary, input, output }: ModelParts): readonly Uint8Array[] {
  const file = new ByteWriter();
  file.i32(MAGIC, VERSION);
  file.i32(args.dim, args.ws, args.epoch, args.minCount, args.neg, args.wordNgrams, lossCodes[args.loss], modelCodes[args.model]);
  file.i32(args.bucket, args.minn, args.maxn, args.lrUpdateRate);
  file.f64(args.t);
  writeDictionary(file, dictionary);
  file.u8(input instanceof QuantMatrix ? 1 : 0);
  writeMatrix(file, input);
  file.u8(output instanceof QuantMatrix ? 1 : 0);
  writeMatrix(file, output);
  return file.pieces;
}

function writeDictionary(file: ByteWriter, dictionary: Dictionary): void {
  const { size, entries, counts, types, kept } = dictionary;
  file.i32(size, dictionary.wordCount, dictionary.labelCount);
  file.i64(dictionary.tokens, kept?.size ?? -1);
  const rest = 10, bytes = new Uint8Array(entries.end() + rest * size), view = new DataView(bytes.buffer);
  for (let i = 0, at = 0; i < size; i++) {
    const word = entries.get(i), end = at + word.length;
    bytes.set(word, at);
    view.setBigInt64(end + 1, BigInt(counts[i]!), true);
    bytes[end + 9] = types[i]!;
    at = end + rest;
  }
  file.bytes(bytes);
  if (kept !== undefined) file.i32(...[...kept].flat());
}

function writeMatrix(file: ByteWriter, matrix: Matrix): void {
  if (matrix instanceof DenseMatrix) {
    file.i64(matrix.rows, matrix.cols);
    file.f32(matrix.data);
  } else if (matrix instanceof QuantMatrix) {
    file.u8(matrix.norms === undefined ? 0 : 1);
    file.i64(matrix.rows, matrix.cols);
    file.i32(matrix.codes.length);
    file.bytes(matrix.codes);
    writeQuantizer(file, matrix.quantizer);
    if (matrix.norms === undefined) return;
    file.bytes(matrix.norms.codes);
    writeQuantizer(file, matrix.norms.quantizer);
  }
}

function writeQuantizer(file: ByteWriter, { dim, parts, partSize, lastSize, centroids }: ProductQuantizer): void {
  file.i32(dim, parts, partSize, lastSize);
  file.f32(centroids);
}
