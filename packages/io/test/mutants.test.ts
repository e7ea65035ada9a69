import { FormatError } from "@nn/tensor";
import { expect, test } from "vitest";
import { readSafetensors } from "../src/index.ts";
import { checkMutants } from "./mutants.ts";

test("300 damaged files: refused with a FormatError, or read whole", () => {
  const { read, refused, slowest } = checkMutants(300);
  expect(read + refused).toBe(300);
  expect(refused).toBeGreaterThan(200); // most damage is seen
  expect(read).toBeGreaterThan(0); // damage to data alone cannot be
  expect(slowest).toBeLessThan(500); // ms
});

test.each([
  ["a string without an end", `{"${"a".repeat(2_000_000)}`],
  ["backslashes", `{"${"\\".repeat(2_000_000)}`],
  ["spaces", `{${" ".repeat(2_000_000)}`],
  ["digits", `{"a":${"1".repeat(2_000_000)}`],
  ["open brackets", `{"a":${"[".repeat(2_000_000)}`],
  ["a long list", `{"a":{"dtype":"U8","shape":[${"1,".repeat(1_000_000)}1],"data_offsets":[0,1]}}`],
])("2 MB of %s are refused in linear time", (_, header) => {
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(new TextEncoder().encode(header), 8);
  const start = performance.now();
  expect(() => readSafetensors(bytes)).toThrow(FormatError);
  expect(performance.now() - start).toBeLessThan(3000);
});
