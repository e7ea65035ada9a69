import { describe, expect, test } from "vitest";
import { decodeNumbers, encodeNumbers, fromBFloat, fromHalf, toBFloat, toHalf } from "../src/index.ts";
import { bytesOf } from "../src/dtypes.ts";

describe("half precision", () => {
  test("every one of the 65,536 halves survives the way out and back", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (Number.isNaN(value)) expect(toHalf(value) & 0x7fff).toBeGreaterThan(0x7c00);
      else if (toHalf(value) !== bits) throw new Error(`${bits.toString(16)} → ${value} → ${toHalf(value).toString(16)}`);
    }
  });

  // Values and bits of IEEE 754-2008 binary16; ties go to the even neighbour.
  test.each([
    [1, 0x3c00], [-2, 0xc000], [65504, 0x7bff], [65519.99, 0x7bff], [65520, 0x7c00], [1e30, 0x7c00], [-Infinity, 0xfc00],
    [2 ** -14, 0x0400], [2 ** -24, 0x0001], [2 ** -25, 0x0000], [2 ** -25 * 1.0001, 0x0001], [1.5 * 2 ** -24, 0x0002], [-0, 0x8000],
    [1 + 2 ** -11, 0x3c00], [1 + 3 * 2 ** -11, 0x3c02], [1 / 3, 0x3555], [2 - 2 ** -12, 0x4000], [0.1, 0x2e66],
  ])("toHalf(%d) = %i", (value, bits) => {
    expect(toHalf(value)).toBe(bits);
  });

  test("rounds to the nearest of its two neighbours", () => {
    for (let k = 0; k < 20_000; k++) {
      const x = Math.sin(k * 1.7) * 2 ** ((k % 44) - 28);
      const bits = toHalf(x);
      if ((bits & 0x7fff) >= 0x7bff || (bits & 0x7fff) === 0) continue;
      const distance = Math.abs(fromHalf(bits) - x);
      expect(distance).toBeLessThanOrEqual(Math.abs(fromHalf(bits + 1) - x));
      expect(distance).toBeLessThanOrEqual(Math.abs(fromHalf(bits - 1) - x));
    }
  });
});

describe("bfloat16", () => {
  test("every one of the 65,536 values survives the way out and back", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromBFloat(bits);
      if (Number.isNaN(value)) expect(fromBFloat(toBFloat(value))).toBeNaN();
      else if (toBFloat(value) !== bits) throw new Error(`${bits.toString(16)} → ${value}`);
    }
  });
  test.each([[1, 0x3f80], [1 + 2 ** -8, 0x3f80], [1 + 3 * 2 ** -8, 0x3f82], [3.4e38, 0x7f80], [-0, 0x8000], [Math.PI, 0x4049]])("toBFloat(%d) = %i", (value, bits) => {
    expect(toBFloat(value)).toBe(bits);
  });
});

describe("arrays", () => {
  test("each file type becomes the tensor type that holds it", () => {
    expect(decodeNumbers("I64", bytesOf(BigInt64Array.of(-3n, 2n ** 31n - 1n)))).toEqual(Int32Array.of(-3, 2 ** 31 - 1));
    expect(decodeNumbers("U16", bytesOf(Uint16Array.of(65535)))).toEqual(Int32Array.of(65535));
    expect(decodeNumbers("I8", Uint8Array.of(255))).toEqual(Int32Array.of(-1));
    expect(decodeNumbers("BOOL", Uint8Array.of(0, 1, 7))).toEqual(Uint8Array.of(0, 1, 1));
    expect(decodeNumbers("F16", bytesOf(Uint16Array.of(0x3c00)))).toEqual(Float32Array.of(1));
    expect(decodeNumbers("F64", bytesOf(Float64Array.of(0.1)))).toEqual(Float64Array.of(0.1));
  });
  test("an integer that does not fit is an error, not another number", () => {
    expect(() => decodeNumbers("I64", bytesOf(BigInt64Array.of(0n, 2n ** 31n)))).toThrowErrorMatchingInlineSnapshot(`[RangeError: element 1 is 2147483648, outside the range of i32]`);
    expect(() => decodeNumbers("U32", bytesOf(Uint32Array.of(2 ** 32 - 1)))).toThrow(RangeError);
  });
  test("data at an odd address", () => {
    const bytes = new Uint8Array(9);
    bytes.set(bytesOf(Float64Array.of(2.5)), 1);
    expect(decodeNumbers("F64", bytes.subarray(1))).toEqual(Float64Array.of(2.5));
  });
  test("storing", () => {
    expect(encodeNumbers("F16", Float32Array.of(1))).toEqual(Uint8Array.of(0, 0x3c));
    expect(encodeNumbers("BF16", Float64Array.of(1))).toEqual(Uint8Array.of(0x80, 0x3f));
    expect(encodeNumbers("I64", Int32Array.of(-1))).toEqual(new Uint8Array(8).fill(255));
    expect(encodeNumbers("F32", Float64Array.of(1))).toEqual(Uint8Array.of(0, 0, 0x80, 0x3f));
    expect(encodeNumbers("BOOL", Uint8Array.of(0, 5))).toEqual(Uint8Array.of(0, 1));
  });
});
