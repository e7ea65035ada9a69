/** Text as the original splits it: tokens end at ASCII white space and NUL; the end of a line is a token of its own. */
import { hashBytes } from "./hash.ts";

export const END_OF_LINE = new TextEncoder().encode("</s>");
export const endOfLineHash = hashBytes(END_OF_LINE);
const NEWLINE = 10;

/** space, \n, \r, \t, \v, \f and NUL */
export const isSpace = (byte: number): boolean => byte <= 32 && (byte === 32 || (byte >= 9 && byte <= 13) || byte === 0);

/** Called with a token's place and hash; a line's end comes as `END_OF_LINE` from 0. True stops. */
export type OnToken = (bytes: Uint8Array, from: number, to: number, hash: number) => boolean;

/** Splits bytes[from, to), which must begin and end where tokens do. Returns where it stopped. */
export function eachToken(bytes: Uint8Array, from: number, to: number, onToken: OnToken): number {
  let start = from, hash = 2166136261;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (!isSpace(byte)) {
      hash = Math.imul(hash ^ ((byte << 24) >> 24), 16777619);
      continue;
    }
    if (i > start && onToken(bytes, start, i, hash >>> 0)) return i;
    if (byte === NEWLINE && onToken(END_OF_LINE, 0, END_OF_LINE.length, endOfLineHash)) return i + 1;
    start = i + 1;
    hash = 2166136261;
  }
  if (to > start) onToken(bytes, start, to, hash >>> 0);
  return to;
}

/**
 * Pieces of a stream joined so that each call gets whole lines of bytes; what follows the last line's end waits for the next piece.
 * A line longer than a piece is collected whole.
 */
export class LineBuffer {
  #rest: Uint8Array[] = [];

  /** Whole lines, the end of the last included; undefined if no line ends in this piece. */
  push(piece: Uint8Array): Uint8Array | undefined {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      if (piece.length > 0) this.#rest.push(piece.slice());
      return undefined;
    }
    const lines = this.#rest.length === 0 ? piece.subarray(0, end) : joined([...this.#rest, piece.subarray(0, end)]);
    this.#rest = end < piece.length ? [piece.slice(end)] : [];
    return lines;
  }

  /** The last line, if it has no end. */
  flush(): Uint8Array | undefined {
    const rest = this.#rest;
    this.#rest = [];
    return rest.length === 0 ? undefined : joined(rest);
  }
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
