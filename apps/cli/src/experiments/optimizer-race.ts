/** All optimizers on four problems, each at its own best rate: the benchmark behind `adviseOptimizer`. */
import { gather, toTensors } from "@nn/data";
import { crossEntropy } from "@nn/layers";
import { Adadelta, Adagrad, Adam, Adamax, AdamW, AMSGrad, Lion, MomentumEMA, NAdam, RAdam, RMSprop, SGD, type Optimizer } from "@nn/optim";
import { LBFGS } from "@nn/optim/lbfgs";
import { manualSeed, type Variable } from "@nn/tensor";
import { adviseOptimizer, defineExperiment, logitsOf, situationOf, type Bench, type Callback } from "@nn/train";
import { usage } from "../errors.ts";
import { fit, score } from "./fit.ts";
import { describeProblem, describeRace, type Curve, type Lane, type Racer } from "./race-page.ts";
import { problems, type Problem, type ProblemData } from "./race-problems.ts";

type Make = (params: Iterable<Variable>, options?: { lr: number }) => Optimizer<{ lr: number }>;

/** Everything but the rate is the library's default. */
const optimizers: Readonly<Record<string, Make>> = {
  SGD: (p, o) => new SGD(p, o),
  Momentum: (p, o) => new SGD(p, { momentum: 0.9, ...o }),
  MomentumEMA: (p, o) => new MomentumEMA(p, o),
  Nesterov: (p, o) => new SGD(p, { momentum: 0.9, nesterov: true, ...o }),
  RMSprop: (p, o) => new RMSprop(p, o),
  Adagrad: (p, o) => new Adagrad(p, o),
  Adadelta: (p, o) => new Adadelta(p, o),
  Adam: (p, o) => new Adam(p, o),
  AdamW: (p, o) => new AdamW(p, o),
  NAdam: (p, o) => new NAdam(p, o),
  RAdam: (p, o) => new RAdam(p, o),
  AMSGrad: (p, o) => new AMSGrad(p, o),
  Adamax: (p, o) => new Adamax(p, o),
  Lion: (p, o) => new Lion(p, o),
};

const settings = { problems: problems.map((p) => p.name).join(","), samples: 4000, epochs: 4, batch: 32, seeds: 3 };
type RaceBench = Bench<typeof settings>;

export const optimizerRace = defineExperiment({
  name: "optimizer-race",
  title: "Optimizer race",
  description: "Every optimizer on a convex sparse, a dense, a convolutional and a recurrent problem, at a rate chosen for it on held-out samples: the benchmark behind `adviseOptimizer`.",
  settings,

  async run(bench) {
    const lanes: Lane[] = [];
    for (const name of bench.settings.problems.split(",")) {
      const problem = problems.find((p) => p.name === name);
      if (!problem) throw usage(`unknown problem '${name}'`, `known: ${settings.problems}`);
      const data = await problem.load(bench.data, bench.settings.samples);
      const racers: Racer[] = [];
      for (const [optimizer, make] of Object.entries(optimizers)) racers.push(await race(problem, data, optimizer, make, bench));
      if (problem.convex) racers.push(await raceLBFGS(problem, data, bench));
      const { optimizer, options } = adviseOptimizer({ ...situationOf(data.model()), convex: problem.convex === true });
      lanes.push({ problem, data, racers, advised: options["momentum"] === undefined ? optimizer : "Momentum" });
    }
    return [...describeRace(lanes, bench.settings), ...lanes.flatMap((lane) => describeProblem(lane, bench.settings.epochs))];
  },
});

/** Chooses the rate with seed 0 on the held-out samples, then trains with seeds 1, 2, … for the test. */
async function race(problem: Problem, data: ProblemData, name: string, make: Make, { settings: { epochs, batch, seeds }, trial }: RaceBench): Promise<Racer> {
  const run = (lr: number, seed: number, part: "held" | "test") =>
    trial(`${problem.name}, ${name}, rate ${lr}, seed ${seed}, ${part}`, async () => {
      manualSeed(seed);
      const model = data.model();
      const curve: Curve = [];
      const { losses, accuracies, testLosses, diverged } = await fit(model, make(model.parameters(), { lr }), {
        train: data.train, test: data[part], classes: data.classes, epochs, batch, seed, testEvery: epochs, callbacks: [tracing(curve)],
        ...(problem.clipNorm !== undefined && { clipNorm: problem.clipNorm }),
      });
      if (diverged) return { loss: null, accuracy: null, testLoss: null, curve };
      return { loss: losses.at(-1)!, accuracy: accuracies.at(-1)!, testLoss: testLosses.at(-1)!, curve };
    });

  const usual = make(data.model().parameters()).lr;
  const found = new Map<number, Awaited<ReturnType<typeof run>>>();
  const rate = await lowest(usual, async (lr) => {
    found.set(lr, await run(lr, 0, "held"));
    return found.get(lr)!.testLoss ?? Infinity;
  });
  const runs = [];
  for (let seed = 1; seed <= seeds; seed++) runs.push(await run(rate, seed, "test"));
  return {
    name,
    tried: [...found.keys()].sort((a, b) => a - b),
    chosen: rate,
    usual: { rate: usual, accuracy: found.get(usual)!.accuracy, chosen: found.get(rate)!.accuracy },
    losses: runs.map((r) => r.loss),
    accuracies: runs.map((r) => r.accuracy),
    curve: mean(runs.map((r) => r.curve)),
    seconds: runs.reduce((sum, r) => sum + r.seconds, 0) / seeds,
  };
}

/** L-BFGS has no rate; the number of its passes is chosen like one. Every seed would give the same: nothing in it is random. */
async function raceLBFGS(problem: Problem, { train, held, test, classes, model: make }: ProblemData, { settings: { epochs }, trial }: RaceBench): Promise<Racer> {
  const run = (passes: number) =>
    trial(`${problem.name}, L-BFGS, ${passes} passes`, async () => {
      const model = make();
      const [x, y] = toTensors(await gather(train, Array.from({ length: train.length }, (_, i) => i), { seed: 0, epoch: 0 }));
      const optimizer = new LBFGS(model.parameters(), { lineSearch: "strongWolfe", maxIter: passes, maxEval: passes });
      const curve: Curve = [];
      optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = crossEntropy(logitsOf(model, x), y);
        loss.backward();
        curve.push([curve.length + 1, loss.item()]);
        return loss;
      });
      const [onHeld, onTest] = [await score(model, held, classes), await score(model, test, classes)];
      return { loss: curve.at(-1)![1], accuracy: onTest.accuracy, heldLoss: onHeld.loss, heldAccuracy: onHeld.accuracy, curve };
    });

  const tried = [1, 2, 4, 8].map((k) => k * epochs);
  const runs = [];
  for (const passes of tried) runs.push({ passes, ...(await run(passes)) });
  const best = runs.reduce((a, b) => (b.heldLoss < a.heldLoss ? b : a));
  return { name: "LBFGS", tried, chosen: best.passes, losses: [best.loss], accuracies: [best.accuracy], curve: best.curve, seconds: best.seconds };
}

/** The rate of lowest loss: half decades around `start`, further out as long as the lowest lies at an end. */
async function lowest(start: number, lossAt: (lr: number) => Promise<number>): Promise<number> {
  const rate = (k: number): number => (k === 0 ? start : Number((start * 10 ** (k / 2)).toPrecision(1)));
  const found = new Map<number, number>();
  for (const k of [-1, 0, 1]) found.set(k, await lossAt(rate(k)));
  for (;;) {
    const best = [...found.keys()].reduce((a, b) => (found.get(b)! < found.get(a)! ? b : a));
    const next = [best - 1, best + 1].find((k) => !found.has(k));
    if (next === undefined || found.size === 12) return rate(best);
    found.set(next, await lossAt(rate(next)));
  }
}

/** Notes the mean loss of every tenth of an epoch. */
function tracing(curve: Curve): Callback {
  let [sum, count] = [0, 0];
  return {
    onStep({ epoch, batch, batches, loss }) {
      sum += loss;
      count++;
      if (Math.floor((10 * batch) / batches) === Math.floor((10 * (batch - 1)) / batches)) return;
      curve.push([epoch - 1 + batch / batches, Number((sum / count).toPrecision(5))]);
      [sum, count] = [0, 0];
    },
  };
}

/** Curves over the same points; where one ends early, all do. */
const mean = (curves: readonly Curve[]): Curve =>
  curves[0]!.slice(0, Math.min(...curves.map((c) => c.length))).map(([x], i) => [x, curves.reduce((sum, c) => sum + c[i]![1], 0) / curves.length]);
