/** One forward and backward pass under observation. */
import { gradients } from "@nn/autograd";
import { GRU, LSTM, observeModules, ReLU, RNN, Sigmoid, Tanh, type Module, type ModuleCall, type Parameter } from "@nn/layers";
import { noGrad, randomState, scope, setRandomState, Tensor, variable } from "@nn/tensor";
import type { LayerReport } from "./judge.ts";

interface Seen {
  readonly module: Module;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Results of all its calls, in order. */
  readonly outputs: Tensor[];
  /** What a whole-sequence layer read, and which dimension is time. */
  readonly sequence: { readonly x: Tensor; readonly time: number } | null;
}

export interface Measured {
  readonly loss: number;
  readonly layers: readonly LayerReport[];
  /** The own parameters of each of `layers`. */
  readonly parameters: readonly (readonly Parameter[])[];
}

/**
 * Loss and one report per layer. Parameters' `grad`, buffers and random streams are left as they were,
 * so a look at a model in training does not change what it learns.
 */
export function measure(model: Module, loss: () => Tensor): Measured {
  const random = randomState();
  return scope(() => {
    const buffers = [...model.namedBuffers()].map(([, b]) => ({ b, before: variable(b) }));
    try {
      return pass(loss);
    } finally {
      noGrad(() => {
        for (const { b, before } of buffers) {
          b.assign(before);
          before.dispose();
        }
      });
      setRandomState(random);
    }
  }, "diagnose()");
}

function pass(loss: () => Tensor): Measured {
  const seen = new Map<Module, Seen>();
  const value = observeModules({ before: followInput, after: (call) => note(seen, call) }, loss);
  const layers = [...seen.values()];
  const parameters = [...new Set(layers.flatMap((l) => l.parameters))];
  // A module called again and again (a recurrent cell) shows how the gradient fares through time, and so does the input of a whole sequence.
  const states = layers.flatMap((l) => (l.sequence ? [l.sequence.x] : l.outputs.length > 1 && l.outputs.every((y) => y.requiresGrad) ? l.outputs : []));
  const wanted: Tensor[] = [...parameters, ...states];
  const found = value.requiresGrad ? gradients(value, wanted) : wanted.map(() => null);
  const gradientOf = new Map(wanted.map((t, i) => [t, found[i] ?? null]));
  return noGrad(() => ({ loss: value.item(), layers: layers.map((l) => report(l, gradientOf)), parameters: layers.map((l) => l.parameters) }));
}

const isRecurrent = (m: Module): m is RNN | LSTM | GRU => m instanceof RNN || m instanceof LSTM || m instanceof GRU;

/** The gradient of a sequence's input tells how it fares through time; data asks for none by itself. */
function followInput(module: Module, inputs: readonly unknown[]): readonly unknown[] {
  const [x, ...rest] = inputs;
  return isRecurrent(module) && x instanceof Tensor && !x.requiresGrad ? [x.detach().requireGrad(), ...rest] : inputs;
}

function note(seen: Map<Module, Seen>, { module, path, inputs, output }: ModuleCall): void {
  const parameters = module.ownParameters();
  const recurrent = isRecurrent(module);
  const result = recurrent ? (output as { output: Tensor }).output : output;
  if (!(result instanceof Tensor) || (parameters.length === 0 && !isActivation(module))) return;
  const x = inputs[0];
  const sequence = recurrent && x instanceof Tensor ? { x, time: module.options.batchFirst && x.rank === 3 ? 1 : 0 } : null;
  const entry: Seen = seen.get(module) ?? { module, path: path === "" ? "model" : path, parameters, outputs: [], sequence };
  entry.outputs.push(result);
  seen.set(module, entry);
}

const isActivation = (m: Module): boolean => m instanceof ReLU || m instanceof Sigmoid || m instanceof Tanh;

function report({ module, path, parameters, outputs, sequence }: Seen, gradientOf: ReadonlyMap<Tensor, Tensor | null>): LayerReport {
  const grads = parameters.map((p) => gradientOf.get(p) ?? null).filter((g) => g !== null);
  const through = outputs.map((y) => gradientOf.get(y) ?? null);
  const norms = (list: readonly Tensor[]): number => Math.hypot(...list.map(normOf));
  return {
    path,
    kind: module.constructor.name,
    gradNorm: parameters.length === 0 ? null : norms(grads),
    weightNorm: parameters.length === 0 ? null : norms(parameters),
    updateRatio: null,
    saturated: saturation(module, outputs),
    dead: module instanceof ReLU ? deadShare(outputs) : null,
    nonFinite: [...outputs, ...grads].reduce((n, t) => n + nonFinite(t), 0),
    overTime: sequence ? normsOverTime(gradientOf.get(sequence.x), sequence.time) : outputs.length > 1 && through.every((g) => g !== null) ? through.map((g) => normOf(g)) : null,
  };
}

const normsOverTime = (g: Tensor | null | undefined, time: number): number[] | null => (g ? Array.from({ length: g.shape[time]! }, (_, t) => normOf(g.slice(time, t, t + 1))) : null);

export const normOf = (t: Tensor): number => (t.size === 0 ? 0 : Math.sqrt(t.square().sum().item()));

const nonFinite = (t: Tensor): number => t.size - t.isfinite().cast("f32").sum().item();

/** Share of outputs where the slope is nearly gone. */
function saturation(module: Module, outputs: readonly Tensor[]): number | null {
  const [low, high] = module instanceof Sigmoid ? [0.01, 0.99] : module instanceof Tanh ? [-0.99, 0.99] : [];
  if (low === undefined || high === undefined) return null;
  return mean(outputs.map((y) => y.lt(low).logicalOr(y.gt(high)).cast("f32").mean().item()));
}

/** A unit is a feature of [N,F] or a channel of [N,C,…]; it is dead if it is zero everywhere in the batch. */
function deadShare(outputs: readonly Tensor[]): number | null {
  const shares = outputs.map((y) => {
    const others = y.shape.map((_, d) => d).filter((d) => d !== Math.min(1, y.shape.length - 1));
    return y.max(others).eq(0).cast("f32").mean().item();
  });
  return mean(shares);
}

const mean = (xs: readonly number[]): number | null => (xs.length === 0 ? null : xs.reduce((a, b) => a + b, 0) / xs.length);
