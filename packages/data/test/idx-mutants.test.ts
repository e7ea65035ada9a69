import { expect, test } from "vitest";
import { checkMutants } from "./idx-mutants.ts";

test("300 damaged IDX files: refused with a FormatError, or read whole", async () => {
  const { read, refused, slowest } = await checkMutants(300);
  expect(read + refused).toBe(300);
  expect(refused).toBeGreaterThan(150); // most damage is seen
  expect(read).toBeGreaterThan(0); // damage to pixels cannot be
  expect(slowest).toBeLessThan(500); // ms
});
