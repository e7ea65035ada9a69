/** Activations fused behind matrix products and convolutions, and their gradient from the result. */
import type { activationCodes } from "@nn/kernels";
import { defineOp, oncePerNode } from "../define.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { promote } from "../dtype.ts";
import { sameShape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { sigmoid } from "./functions.ts";
import { show } from "./shape-rules.ts";

/** `y = act(…)`: all four have a derivative that can be read off `y`, so nothing else must be kept. */
export type Activation = keyof typeof activationCodes;

export const activations: Record<Activation, { value: (x: number) => number; slope: (y: number) => number }> = {
  none: { value: (x) => x, slope: () => 1 },
  relu: { value: (x) => (x < 0 ? 0 : x), slope: (y) => (y > 0 ? 1 : Number.isNaN(y) ? NaN : 0) },
  sigmoid: { value: sigmoid, slope: (y) => y * (1 - y) },
  tanh: { value: Math.tanh, slope: (y) => (1 - y) * (1 + y) },
};

export function checkActivation(op: string, act: Activation): void {
  if (!Object.hasOwn(activations, act)) throw new ArgumentError(op, `act is ${JSON.stringify(act)}`, { hint: `one of ${Object.keys(activations).join(", ")}; apply others as an op of their own` });
}

/** `dx = grad · act'(x)`, read off `result = act(x)` in one pass. */
export const activationGrad = defineOp({
  name: "activationGrad",
  inputs: ["grad", "result"],
  saves: ["grad", "result"],
  infer({ grad, result }, { act }: { act: Activation }) {
    checkActivation("activationGrad", act);
    if (!sameShape(grad.shape, result.shape)) throw new ShapeError("activationGrad", `gradient ${show(grad)} and result ${show(result)} differ`);
    return { shape: result.shape, dtype: promote(grad.dtype, result.dtype) };
  },
  reference({ grad, result }, { act }, y) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = grad.data[i]! * activations[act].slope(result.data[i]!);
  },
  vjp: {
    grad: ({ dy, result, attrs }): Tensor => activationGrad({ grad: dy, result }, attrs),
    result: ({ dy, grad, result, attrs }): Tensor => {
      const v = dy.mul(grad);
      if (attrs.act === "sigmoid") return v.mul(result.mul(-2).add(1));
      if (attrs.act === "tanh") return v.mul(result).mul(-2);
      return v.mul(0);
    },
  },
  samples: (["none", "relu", "sigmoid", "tanh"] as const).flatMap((act) =>
    [[3, 5], [], [0, 2], [513]].map((shape) => ({ inputs: { grad: shape, result: { shape, low: 0.05, high: 0.9 } }, attrs: { act } })),
  ),
});

/** Gradient before the activation of a fused op: the rules of x, weight and bias ask for the same product. */
export const beforeActivation = oncePerNode(({ dy, y, attrs: { act } }: { readonly dy: Tensor; readonly y: Tensor; readonly attrs: { readonly act: Activation } }): Tensor =>
  act === "none" ? dy : activationGrad({ grad: dy, result: y }, { act }));
