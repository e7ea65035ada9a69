/** What goes on inside: maps of one picture, filters, the pictures that excite a unit, and the time of every layer. */
import { gradients } from "@nn/autograd";
import { Conv2d, MaxPool2d, observeModules, type ModuleCall } from "@nn/layers";
import { noGrad, randomState, scope, setRandomState, tensor, type Tensor } from "@nn/tensor";
import type { AlexNetFashion } from "@nn/vision";
import type { LabelledImages } from "@nn/data";
import type { LayerTime, Pixels, Stage, View } from "../shared/protocol.ts";
import { PIXELS, SIDE } from "../shared/settings.ts";
import { prepare } from "./prepare.ts";

/** Bytes [n, 784] → what the network reads, [n, 1, 28, 28]. */
function inputOf(pixels: Uint8Array): Tensor {
  const n = pixels.length / PIXELS;
  const { data } = prepare({ data: pixels, shape: [1, n * SIDE, SIDE] });
  return tensor(data as Float32Array, { shape: [n, 1, SIDE, SIDE] });
}

/** Runs `f` without gradients, dropout or anything left behind. */
export function looking<T>(model: AlexNetFashion, f: () => T): T {
  const { training } = model;
  model.eval();
  try {
    return noGrad(() => scope(f, "look"));
  } finally {
    model.train(training);
  }
}

interface Seen {
  path: string;
  y: Tensor;
}

/** The result of each convolution after its activation (and normalisation), and the logits. */
function follow(model: AlexNetFashion, x: Tensor): { stages: Seen[]; logits: Tensor } {
  const stages: Seen[] = [];
  let open = false; // nothing has made the maps smaller since the convolution
  const after = ({ path, module, output }: ModuleCall): void => {
    if (module instanceof Conv2d) stages.push({ path, y: output as Tensor });
    else if (open && !(module instanceof MaxPool2d)) stages.at(-1)!.y = output as Tensor;
    open = module instanceof Conv2d || (open && !(module instanceof MaxPool2d));
  };
  const logits = observeModules({ after }, () => model.call(x));
  return { stages, logits };
}

/** The way of one picture through the network. */
export function view(model: AlexNetFashion, picture: Pixels): View {
  return looking(model, () => {
    const { stages, logits } = follow(model, inputOf(picture));
    const { weight } = model.features[0] as Conv2d;
    return {
      stages: stages.map(({ path, y }) => stageOf(path, y)),
      probabilities: Float32Array.from(logits.softmax(1).dataSync()),
      filters: { count: weight.shape[0]!, side: weight.shape[2]!, values: Float32Array.from(weight.dataSync()) },
    };
  });
}

function stageOf(path: string, y: Tensor): Stage {
  const values = y.dataSync();
  let most = 1e-12;
  for (const v of values) most = Math.max(most, Math.abs(v));
  // The square root, so that faint answers can be seen beside strong ones.
  return { path, channels: y.shape[1]!, side: y.shape[2]!, maps: Uint8Array.from(values, (v) => 255 * Math.sqrt(Math.abs(v) / most)) };
}

/** Which of the first test pictures have the largest value anywhere in a channel; the strongest first. */
export function exciting(model: AlexNetFashion, { images }: LabelledImages, stage: number, channel: number, wanted = 8, among = 500): number[] {
  return looking(model, () => {
    const found = follow(model, inputOf(images.data.subarray(0, among * PIXELS))).stages[stage];
    if (!found || channel >= found.y.shape[1]!) return [];
    const peaks = found.y.slice(1, channel, channel + 1).max([1, 2, 3]).dataSync();
    return [...peaks.keys()].sort((a, b) => peaks[b]! - peaks[a]!).slice(0, wanted);
  });
}

/** Milliseconds of every layer for one batch, forward and backward, the best of `rounds`; each layer by itself, so nothing is fused. */
export function layerTimes(model: AlexNetFashion, x: Tensor, rounds = 3): LayerTime[] {
  const random = randomState();
  const layers = (["features", "classifier"] as const).flatMap((part) => [...model[part]].map((module, i) => ({ path: `${part}.${i}`, module })));
  const best = new Map<string, LayerTime>();
  for (let round = 0; round < rounds; round++) {
    scope(() => {
      let y = x;
      for (const { path, module } of layers) {
        const input = y.detach().requireGrad();
        const start = performance.now();
        const output = (module.call as unknown as (x: Tensor) => Tensor)(input);
        const middle = performance.now();
        gradients(output.sum(), [input, ...module.parameters()]);
        const end = performance.now();
        const known = best.get(path);
        best.set(path, { path, kind: module.constructor.name, forward: Math.min(middle - start, known?.forward ?? Infinity), backward: Math.min(end - middle, known?.backward ?? Infinity) });
        y = output.detach();
      }
    }, "layer times");
  }
  setRandomState(random);
  return [...best.values()];
}
