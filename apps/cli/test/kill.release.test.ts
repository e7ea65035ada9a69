import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folder, killAndResume, nn, quick, smallData } from "./command.ts";

it("20 kills -9 and resumes end in the bytes of the run that was left alone", async () => {
  const [data, out] = [smallData(128, 40), folder()];
  expect((await nn(...quick(data, out))).code).toBe(0);
  await killAndResume(data, readFileSync(join(out, "model.safetensors")), 20);
}, 300_000);
