/** What every optimizer has: parameters in groups, a rate, a step, state to save. */
import { ArgumentError, Variable, type Tensor } from "@nn/tensor";

/** Parameters with options of their own. */
export type Group<O> = { params: Iterable<Variable> } & Partial<O>;

interface OpenGroup<O> {
  readonly params: readonly Variable[];
  /** May be changed between steps: `optimizer.groups[0].options.lr = 1e-4`. */
  readonly options: O;
}

/** Evaluates the loss at the current weights: clears the gradients, computes them, and returns the loss. */
export type Closure = () => Tensor | number;

/** Names and typed values of an optimizer's state, as stored in a checkpoint. */
export interface OptimizerState {
  /** Calls of `step()`, and updates each parameter has had (fewer where it had no gradient). */
  readonly step: number;
  readonly updates: readonly number[];
  readonly tensors: Map<string, Tensor>;
  readonly options: object[];
}

export abstract class Optimizer<O extends { lr: number }> {
  readonly groups: readonly OpenGroup<O>[];
  /** Calls of `step()` so far. */
  stepCount = 0;
  /** True if `step` chooses where gradients are taken, so that it needs the closure. */
  readonly needsClosure: boolean = false;

  /** `check` refuses bad options. */
  constructor(params: Iterable<Variable> | readonly Group<O>[], defaults: O, check: (options: O) => unknown) {
    const list = [...(params as Iterable<Variable | Group<O>>)];
    if (list.length === 0) throw new ArgumentError("Optimizer", "no parameters", { hint: "pass model.parameters()" });
    const groups = list.every((p) => "params" in p) ? (list as Group<O>[]) : [{ params: list as Variable[] } as unknown as Group<O>];
    this.groups = groups.map(({ params: own, ...given }) => ({ params: [...own], options: { ...defaults, ...given } }));
    const seen = new Set<Variable>();
    for (const p of this.params) {
      if (!(p instanceof Variable)) throw new ArgumentError("Optimizer", `expected parameters, got ${typeof p === "object" ? (p as object).constructor.name : String(p)}`, { hint: "pass model.parameters()" });
      if (seen.has(p)) throw new ArgumentError("Optimizer", `a parameter of shape [${p.shape.join(",")}] is in two groups`);
      seen.add(p);
    }
    for (const { options } of this.groups) check(options); // now, not at the first step
  }

  /** Learning rate of the first group; setting it sets all groups. */
  get lr(): number {
    return this.groups[0]!.options.lr;
  }
  set lr(lr: number) {
    for (const { options } of this.groups) options.lr = lr;
  }

  /** All parameters, in order of the groups. */
  get params(): readonly Variable[] {
    return this.groups.flatMap(({ params }) => params);
  }

  /** Updates the parameters by their gradients, then ends the training step: results of the step before go back to the pool. */
  abstract step(closure?: Closure): unknown;

  /** Frees all gradients. */
  zeroGrad(): void {
    for (const p of this.params) {
      p.grad?.dispose();
      p.grad = null;
    }
  }

  /** State to save. The tensors may be the optimizer's own. */
  abstract stateDict(): OptimizerState;
  /** Continues exactly where `state` was taken. @throws ArgumentError if it belongs to other parameters. */
  abstract loadStateDict(state: OptimizerState): void;
}
