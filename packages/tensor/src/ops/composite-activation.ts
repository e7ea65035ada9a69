/** Activations made of other ops. Gradients at kinks are PyTorch's. */
import { isFloat } from "../dtype.ts";
import { DTypeError, GradError, ShapeError } from "../errors.ts";
import { getRecorder, isRecording } from "../recorder.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { clamp, hardtanh } from "./composite-elementwise.ts";
import { show } from "./shape-rules.ts";

/**
 * 1 if x > 0, else 0 (so step(0) = 0), in the type of x.
 *
 * @throws GradError where a gradient would be expected to pass: there is none.
 */
export const step = composite("step", (x: Tensor): Tensor => {
  if (isRecording() && !getRecorder()?.onlyLooks && x.requiresGrad) {
    throw new GradError("step", "has derivative 0 wherever it has one: no gradient gets through, nothing before it would learn", {
      hint: "train a single step neuron by Rosenblatt's rule (Perceptron.fit), a linear unit by the delta rule (LinearUnit.fit), deeper networks with sigmoid or relu; to evaluate only, use noGrad(() => …)",
    });
  }
  return x.gt(0).cast(isFloat(x.dtype) ? x.dtype : "f32");
});

/**
 * x/(1+|x|) (Turian 2009). Far out it is written ±(1 − 1/(1+|x|)): the same number, but a gradient that is no difference of near equals.
 */
export const softsign = (x: Tensor): Tensor => {
  const below = x.abs().add(1);
  return x.abs().lt(1).where(x.div(below), x.sign().mul(below.reciprocal().neg().add(1)));
};

/** min(max(0, x), 6) (Krizhevsky 2010) */
export const relu6 = (x: Tensor): Tensor => hardtanh(x, { minVal: 0, maxVal: 6 });

/** min(max(0, x+3), 6)/6: a sigmoid of three straight pieces (Howard 2019). */
export const hardsigmoid = (x: Tensor): Tensor => relu6(x.add(3)).div(6);

/** x·hardsigmoid(x) (Howard 2019). Unlike hardsigmoid's, its gradient at ±3 is that of the middle piece, as PyTorch. */
export const hardswish = (x: Tensor): Tensor => x.mul(clamp(x.add(3), { min: 0, max: 6 })).div(6);

/** x·tanh(softplus(x)) (Misra 2019) */
export const mish = (x: Tensor): Tensor => x.mul(x.softplus().tanh());

/**
 * x if x > 0, else a·x with a learned slope (He 2015): `slope` is one number, `[1]` or `[]`, or one per channel, `[C]` for x of `[N, C, …]`.
 */
export function prelu(x: Tensor, slope: Tensor): Tensor {
  if (!isFloat(x.dtype)) throw new DTypeError("prelu", `is not defined for ${show(x)}`, { hint: 'x.cast("f32")' });
  const channels = x.rank === 1 ? 1 : x.shape[1];
  if (slope.rank > 1 || (slope.size !== 1 && slope.size !== channels)) {
    throw new ShapeError("prelu", `slope must be [1] or [${channels ?? 1}], one number for all or one per channel of ${show(x)}, got ${show(slope)}`);
  }
  const a = slope.size === 1 ? slope.reshape([]) : slope.reshape([slope.size, ...x.shape.slice(2).map(() => 1)]);
  return x.gt(0).where(x, x.mul(a));
}

/** Largest of k pieces along `dim`; the first one wins ties and gets the gradient alone (Goodfellow 2013, "Maxout Networks"). */
export const maxout = composite("maxout", (x: Tensor, dim: number = -1): Tensor => x.gather(dim, x.argmax(dim, { keepdim: true })).squeeze(dim));
