import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folder, killAndResume, nn, quick, smallData } from "./command.ts";

it("20 kills -9 and resumes end in the bytes of the run that was left alone", async () => {
  const data = smallData(128, 40);
  const args = (out: string) => [...quick(data, out), "--epochs", "8"];
  const out = folder();
  expect((await nn(...args(out))).code).toBe(0);
  await killAndResume(args, readFileSync(join(out, "model.safetensors")), 20);
}, 300_000);
