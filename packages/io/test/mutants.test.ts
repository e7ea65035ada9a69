import { FormatError } from "@nn/tensor";
import { expect, test } from "vitest";
import { readSafetensors } from "../src/index.ts";
import { checkMutants, formats } from "./mutants.ts";

test.each(Object.entries(formats))("2,000 damaged files: %s: refused with a FormatError, or read whole", async (_, format) => {
  const { read, refused, slowest, memory } = await checkMutants(format, 2000);
  expect(read + refused).toBe(2000);
  expect(refused).toBeGreaterThan(1000); // most damage is seen
  expect(read).toBeGreaterThan(0); // damage to data alone cannot be
  expect(slowest).toBeLessThan(1000); // ms
  expect(memory).toBeLessThan(2 ** 28);
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
