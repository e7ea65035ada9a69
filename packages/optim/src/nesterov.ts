import { ArgumentError, GradError, RowGradient, noGrad, withRecording, type Tensor, type Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface NesterovOptions {
  /** Learning rate. */
  lr: number;
  /** μ */
  momentum: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** From the look-ahead point `y = w + μv` and the gradient there: `v ← μv − lr(g + λy);  w ← y − lr(g + λy)`, which is `w + v` */
const nesterov = ({ lr, momentum, weightDecay }: NesterovOptions) => {
  checkRange("Nesterov", "lr", lr, 0);
  checkRange("Nesterov", "momentum", momentum, 0, 1);
  checkRange("Nesterov", "weightDecay", weightDecay, 0);
  return defineRule({
    key: "nesterov look-ahead",
    state: ["v"],
    numbers: () => ({ lr, momentum, decay: weightDecay }),
    step(y, g, { v }, n) {
      const pull = g.add(y.mul(n.decay)).mul(n.lr);
      return { w: y.sub(pull), v: v.mul(n.momentum).sub(pull) };
    },
  });
};

/**
 * Nesterov momentum in its textbook form (Nesterov 1983, Sutskever 2013): `v ← μv − lr·∇f(w + μv);  w ← w + v`.
 * The gradient belongs to the look-ahead point, so go there first: `step(() => { zeroGrad(); loss().backward(); })`,
 * or `lookAhead()` before the forward pass and `step()` after the backward pass. Between steps the parameters are w.
 *
 * At a constant rate `SGD` with `nesterov: true` walks the look-ahead points of this path: the same method without the extra move,
 * but other weights after every step.
 */
export class Nesterov extends RuleOptimizer<NesterovOptions> {
  override readonly needsClosure = true;
  /** While at the look-ahead point: how far each parameter was moved. */
  #ahead: Map<Variable, Tensor> | null = null;

  constructor(params: Iterable<Variable> | readonly Group<NesterovOptions>[], options: Partial<NesterovOptions> = {}) {
    super(params, { lr: 1e-2, momentum: 0.9, weightDecay: 0, ...options }, nesterov);
  }

  /** `w ← w + μv`, until `step()`. */
  lookAhead(): void {
    if (this.#ahead) return;
    const { tensors } = this.stateDict();
    const moves = new Map<Variable, Tensor>();
    let i = 0;
    noGrad(() => {
      for (const { params, options } of this.groups) {
        for (const p of params) {
          const v = tensors.get(`${i++}.v`);
          if (!v) continue;
          moves.set(p, v.mul(options.momentum).moveTo(null));
          p.write(p.add(moves.get(p)!).dataSync(), "lookAhead()");
        }
      }
    });
    this.#ahead = moves;
  }

  /**
   * Updates every parameter that has a gradient; the others return to where they were.
   * With `closure` (which clears the gradients and computes them anew) it goes to the look-ahead point by itself.
   *
   * @throws ArgumentError without a closure and without `lookAhead()`: gradients at w would make it plain momentum.
   */
  override step(closure?: () => unknown): void {
    if (closure) {
      this.lookAhead();
      withRecording(true, closure);
    }
    const moves = this.#ahead;
    if (!moves) throw new ArgumentError("Nesterov", "step() without lookAhead()", { hint: "call lookAhead() before the forward pass, or pass a closure" });
    noGrad(() => {
      if (this.params.some((p) => p.grad instanceof RowGradient)) throw new GradError("Nesterov", "a sparse gradient, but looking ahead moved all rows", { hint: "SGD with nesterov: true, or an embedding without sparse" });
      for (const [p, move] of moves) {
        if (p.grad === null) p.write(p.sub(move).dataSync(), "optimizer.step()");
        move.dispose();
      }
    });
    this.#ahead = null;
    super.step();
  }
}
