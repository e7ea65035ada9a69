import { ArgumentError } from "@nn/tensor";

/** @throws ArgumentError unless `low ≤ value` (and `value < high`). */
export function checkRange(rule: string, name: string, value: number, low: number, high = Infinity): void {
  if (!(value >= low && value < high)) throw new ArgumentError(rule, `${name} is ${value}, must be ${high === Infinity ? `≥ ${low}` : `in [${low}, ${high})`}`);
}
