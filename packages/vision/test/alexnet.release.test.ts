import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

// In a process of its own, so that its peak is that of the training steps.
const program = `
  import "@nn/autograd";
  import { crossEntropy } from "@nn/layers";
  import { HeavyBall } from "@nn/optim";
  import { rand, tensor } from "@nn/tensor";
  import { alexnet } from "@nn/vision";
  const model = alexnet();
  const optimizer = new HeavyBall(model.parameters(), { lr: 0.01, weightDecay: 5e-4 });
  const y = tensor(Int32Array.from({ length: 128 }, (_, i) => i));
  for (let step = 0; step < 3; step++) {
    const x = rand([128, 3, 224, 224]);
    crossEntropy(model.call(x), y).backward();
    optimizer.step();
    optimizer.zeroGrad();
    x.dispose();
  }
  console.log(process.resourceUsage().maxRSS);`;

test("training steps of the full network at batch 128 fit in 6 GB", { timeout: 300_000 }, () => {
  const kilobytes = Number(execFileSync(process.execPath, ["--conditions=@nn/source", "--input-type=module", "-e", program], { cwd: import.meta.dirname, encoding: "utf8" }));
  expect(kilobytes * 1024).toBeGreaterThan(3 * 4 * 60_965_224); // weights, gradients and velocities
  expect(kilobytes * 1024).toBeLessThan(6e9);
});
