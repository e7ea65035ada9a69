/** Text files of vectors (`.vec`): a line with number and size, then a word and its numbers per line. */
import { FormatError } from "@nn/tensor";
import { joined } from "./tokens.ts";

export interface WordVectors {
  words: Uint8Array[];
  dim: number;
  /** [words, dim] */
  data: Float32Array;
}

/** A number as C++ streams write it with 5 significant digits. */
export function fiveDigits(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  const [digits, power] = x.toExponential(4).split("e") as [string, string], exponent = Number(power);
  const short = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  if (exponent >= -4 && exponent < 5) return short(x.toFixed(4 - exponent));
  return `${short(digits)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** Numbers of a vector, each followed by a space. */
export function vectorText(vector: Float32Array): string {
  let text = "";
  for (const x of vector) text += `${fiveDigits(x)} `;
  return text;
}

/** A `.vec` file in pieces of about 64 kB; `vectorOf` is asked once per word. */
export function* encodeVectors(words: Iterable<Uint8Array>, count: number, dim: number, vectorOf: (i: number) => Float32Array): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let pieces: Uint8Array[] = [encoder.encode(`${count} ${dim}\n`)], bytes = 0, i = 0;
  for (const word of words) {
    const line = encoder.encode(` ${vectorText(vectorOf(i++))}\n`);
    pieces.push(word, line);
    bytes += word.length + line.length;
    if (bytes < 65536) continue;
    yield joined(pieces);
    pieces = [];
    bytes = 0;
  }
  yield joined(pieces);
}

/** @throws FormatError if sizes and numbers do not agree */
export function decodeVectors(bytes: Uint8Array): WordVectors {
  let at = 0;
  const fail = (reason: string): never => {
    throw new FormatError("word vectors", at, reason, { hint: "a text file whose first line is `<words> <dim>`, then a word and its numbers per line" });
  };
  const isBlank = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
  const field = (): Uint8Array => {
    while (at < bytes.length && isBlank(bytes[at]!)) at++;
    const start = at;
    while (at < bytes.length && !isBlank(bytes[at]!)) at++;
    return bytes.subarray(start, at);
  };
  const decoder = new TextDecoder();
  const number = (what: string): number => {
    const text = decoder.decode(field()), value = text === "nan" ? NaN : Number(text);
    if (text === "" || (Number.isNaN(value) && text !== "nan")) fail(text === "" ? `truncated at ${what}` : `${what} is ${JSON.stringify(text.slice(0, 40))}`);
    return value;
  };
  const size = (what: string): number => {
    const value = number(what);
    if (!Number.isInteger(value) || value < 0) fail(`the ${what} is ${value}`);
    return value;
  };
  const count = size("number of words"), dim = size("size of vectors");
  if (count * (2 * dim + 2) > bytes.length - at + 1) fail(`${count} vectors of ${dim} numbers do not fit in ${bytes.length} bytes`);
  const words: Uint8Array[] = [], data = new Float32Array(count * dim);
  for (let i = 0; i < count; i++) {
    const word = field();
    if (word.length === 0) fail(`truncated at word ${i}`);
    words.push(word);
    for (let j = 0; j < dim; j++) data[i * dim + j] = number(`number ${j} of word ${i}`);
  }
  if (field().length > 0) fail(`text after ${count} words`);
  return { words, dim, data };
}
