/** PNG files of every kind, which `encodePng` of @nn/data does not write. */
import { crc32, deflateSync } from "node:zlib";

interface PngKind {
  /** PNG colour type: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA. */
  readonly colour: number;
  /** Bits per value. */
  readonly depth: number;
  /** Colours of type 3; a mere suggestion to the viewer in types 2 and 6. */
  readonly palette?: readonly (readonly [number, number, number])[];
  readonly interlace?: number;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length);
  out.write(type, 4, "latin1");
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** A PNG of `values`, row by row, each below 2^depth. Without interlacing the file is right; with it only its header says so. */
export function png(values: readonly number[], width: number, height: number, { colour, depth, palette, interlace = 0 }: PngKind): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([depth, colour, 0, 0, interlace], 8);
  const perLine = values.length / height;
  const lines = values.length === 0 ? [] : Array.from({ length: height }, (_, y) => {
    const bits = values.slice(y * perLine, (y + 1) * perLine).map((v) => v.toString(2).padStart(depth, "0")).join("");
    return [0, ...(bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte.padEnd(8, "0"), 2))]; // 0: no filter
  });
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    ...(palette ? [chunk("PLTE", Uint8Array.from(palette.flat()))] : []),
    chunk("IDAT", deflateSync(Uint8Array.from(lines.flat()))),
    chunk("IEND", new Uint8Array(0)),
  ]);
}
