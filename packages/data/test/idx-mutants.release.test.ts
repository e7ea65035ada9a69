import { expect, test } from "vitest";
import { checkMutants } from "./idx-mutants.ts";

test("2,000 damaged IDX files: refused with a FormatError, or read whole", async () => {
  const { read, refused, slowest } = await checkMutants(2000);
  expect(read + refused).toBe(2000);
  expect(slowest).toBeLessThan(500); // ms
});
