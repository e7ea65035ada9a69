import { expect, test } from "vitest";
import { checkMutants } from "./mutants.ts";

test("2,000 damaged files: refused with a FormatError, or read whole", () => {
  const { read, refused, slowest } = checkMutants(2000);
  expect(read + refused).toBe(2000);
  expect(slowest).toBeLessThan(500); // ms
});
