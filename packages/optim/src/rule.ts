/**
 * An optimizer is a pure rule, one file each: from parameter, gradient and state to their next values, written as tensor code.
 * The driver owns state, traces the rule once into an element-wise program, and runs it over all parameters in one pass, in place.
 */
import type { Tensor } from "@nn/tensor";

/** A rule with its options fixed. */
export interface Rule<State extends string = string, Number extends string = string> {
  /** Names the structure (not the numbers): rules with equal keys share one program. */
  readonly key: string;
  /** State per parameter, each starting at zero. */
  readonly state: readonly State[];
  /** Numbers that the step reads, given step t = 1, 2, …; e.g. the rate and bias corrections. */
  readonly numbers: (t: number) => Record<Number, number>;
  /** Element-wise: the next parameter and the next state. */
  readonly step: (w: Tensor, g: Tensor, state: Record<State, Tensor>, numbers: Record<Number, Tensor>) => { w: Tensor } & Record<State, Tensor>;
}

/** Types a rule; the names of its state and numbers are inferred. */
export const defineRule = <const S extends string, const N extends string>(rule: Rule<S, N>): Rule => rule as unknown as Rule;
