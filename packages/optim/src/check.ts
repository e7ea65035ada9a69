import { ArgumentError } from "@nn/tensor";

/** @throws ArgumentError unless `low ≤ value` (and `value < high`). */
export function checkRange(rule: string, name: string, value: number, low: number, high = Infinity): void {
  if (!(value >= low && value < high)) throw new ArgumentError(rule, `${name} is ${value}, must be ${high === Infinity ? `≥ ${low}` : `in [${low}, ${high})`}`);
}

/** What all adaptive rules ask of their common options. @throws ArgumentError */
export function checkAdaptive(rule: string, { lr, betas, eps, weightDecay }: { lr: number; betas: readonly [number, number]; eps?: number; weightDecay: number }): void {
  checkRange(rule, "lr", lr, 0);
  checkRange(rule, "betas[0]", betas[0], 0, 1);
  checkRange(rule, "betas[1]", betas[1], 0, 1);
  checkRange(rule, "eps", eps ?? 0, 0);
  checkRange(rule, "weightDecay", weightDecay, 0);
}
