/** A page's worker: trains a little with the number of threads it is asked for, and answers with what came out. */
import { createEngine, engineInfo, ready } from "@nn/kernels";
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from "@nn/layers";
import { SGD } from "@nn/optim";
import { manualSeed, randn, setEngine, tensor } from "@nn/tensor";

onmessage = ({ data: threads }: MessageEvent<number>) => {
  void run(threads).then(
    (answer) => postMessage(answer),
    (error: unknown) => postMessage({ error: String(error) }),
  );
};

async function run(threads: number): Promise<{ threads: number; why: string[]; weights: Float32Array; losses: number[] }> {
  await ready();
  const engine = setEngine(createEngine({ threads }));
  manualSeed(1);
  const model = new Sequential(new Conv2d(3, 24, 3, { padding: 1 }), new ReLU(), new MaxPool2d(3, { stride: 2 }), new Conv2d(24, 32, 3), new ReLU(), new Flatten(), new Linear(32 * 5 * 5, 10));
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const x = randn([32, 3, 16, 16]);
  const y = tensor(Int32Array.from({ length: 32 }, (_, i) => i % 10));
  const losses: number[] = [];
  for (let step = 0; step < 5; step++) {
    const loss = crossEntropy(model.call(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    losses.push(loss.item());
  }
  const weights = model.parameters().map((p) => p.dataSync() as Float32Array);
  const { why } = engineInfo(engine);
  return { threads: engine.threads, why, losses, weights: Float32Array.from(weights.flatMap((w) => [...w])) };
}
