/** Every rule with options worth testing. */
import type { Variable } from "@nn/tensor";
import {
  AMSGrad, Adadelta, Adagrad, Adam, AdamW, Adamax, HeavyBall, Lion, MomentumEMA, NAdam, RAdam, RMSprop, SGD,
  type Group, type Optimizer,
} from "@nn/optim";

type Rate = { lr: number };
export type Make = new (params: Iterable<Variable> | readonly Group<Rate>[], options?: Partial<Rate>) => Optimizer<Rate>;
const all: [string, unknown, object][] = [
  ["SGD", SGD, { momentum: 0.9, nesterov: true, weightDecay: 0.01 }],
  ["HeavyBall", HeavyBall, { weightDecay: 0.01 }],
  ["MomentumEMA", MomentumEMA, { weightDecay: 0.01 }],
  ["RMSprop", RMSprop, { weightDecay: 0.01 }],
  ["RMSprop, all options", RMSprop, { centered: true, momentum: 0.9, epsUnderRoot: true, eps: 1e-4 }],
  ["Adagrad", Adagrad, { lrDecay: 0.1, initialAccumulator: 0.1, weightDecay: 0.01 }],
  ["Adadelta", Adadelta, { lr: 1, weightDecay: 0.01 }],
  ["Adam", Adam, { weightDecay: 0.01 }],
  ["AdamW, amsgrad", AdamW, { amsgrad: true }],
  ["AMSGrad", AMSGrad, { weightDecay: 0.01 }],
  ["Adam of the notes", Adam, { betas: [0.9, 0.9999], eps: 0, correctNumerator: false }],
  ["Adamax", Adamax, { weightDecay: 0.01 }],
  ["NAdam", NAdam, { weightDecay: 0.01 }],
  ["RAdam", RAdam, { weightDecay: 0.01 }],
  ["Lion", Lion, { weightDecay: 0.01 }],
];
export const rules = all as [string, Make, object][];
