/**
 * Line search for the strong Wolfe conditions (Nocedal & Wright 2006, algorithms 3.5 and 3.6), in the steps PyTorch takes;
 * but a point that does not decrease enough is never the best one, and a value that is not finite is too high.
 */

/** A point on the line: step `t`, value `f`, gradient `g` and slope `g·d` there. */
export interface LinePoint {
  readonly t: number;
  readonly f: number;
  readonly g: Float64Array;
  readonly slope: number;
}

export interface WolfeOptions {
  /** `f(t) ≤ f(0) + c1·t·f′(0)`: enough decrease. */
  c1?: number;
  /** `|f′(t)| ≤ c2·|f′(0)|`: flat enough. */
  c2?: number;
  /** Most evaluations after the first. */
  maxSearch?: number;
  /** The search ends when the bracket is shorter than this, in units of the largest weight change. */
  tolerance?: number;
}

/**
 * A step that meets both conditions, or the best one found. `at(t)` evaluates the line, `start` is its point at 0,
 * `first` the step to try, `length` the largest |dᵢ|.
 */
export function strongWolfe(at: (t: number) => LinePoint, start: LinePoint, first: number, length: number, { c1 = 1e-4, c2 = 0.9, maxSearch = 25, tolerance = 1e-9 }: WolfeOptions = {}): LinePoint {
  const tooHigh = (p: LinePoint): boolean => !(p.f <= start.f + c1 * p.t * start.slope);
  const flat = (p: LinePoint): boolean => Math.abs(p.slope) <= -c2 * start.slope;

  // Widen until a step that is good, too high or rising closes the bracket.
  let before = start;
  let point = at(first);
  let searched = 0;
  let bracket: [LinePoint, LinePoint] | null = null;
  while (searched < maxSearch) {
    if (tooHigh(point) || (searched > 1 && point.f >= before.f)) {
      bracket = [before, point];
      break;
    }
    if (flat(point)) return point;
    if (point.slope >= 0) {
      bracket = lowFirst(before, point);
      break;
    }
    const t = cubicMinimum(before, point, [point.t + 0.01 * (point.t - before.t), point.t * 10]);
    before = point;
    point = at(t);
    searched++;
  }
  let [low, high] = bracket ?? lowFirst(start, point);

  // Narrow: `low` is the best point so far that decreases enough, and a good one lies between the two.
  let stalled = false;
  while (searched < maxSearch && Math.abs(high.t - low.t) * length >= tolerance) {
    let t = cubicMinimum(low, high);
    const [left, right] = [Math.min(low.t, high.t), Math.max(low.t, high.t)];
    const margin = 0.1 * (right - left);
    // Twice near an end, or outside: a step of a tenth from that end.
    const near = Math.min(right - t, t - left) < margin;
    if (near && (stalled || t >= right || t <= left)) {
      t = Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin;
      stalled = false;
    } else {
      stalled = near;
    }
    point = at(t);
    searched++;
    if (tooHigh(point) || point.f >= low.f) {
      high = point;
      continue;
    }
    if (flat(point)) return point;
    if (point.slope * (high.t - low.t) >= 0) high = low;
    low = point;
  }
  return low;
}

const lowFirst = (a: LinePoint, b: LinePoint): [LinePoint, LinePoint] => (b.f < a.f ? [b, a] : [a, b]);

/** Where the cubic through two values and slopes is least, within `bounds`; their middle if it has no minimum. */
function cubicMinimum(a: LinePoint, b: LinePoint, bounds: [number, number] = [Math.min(a.t, b.t), Math.max(a.t, b.t)]): number {
  const [p, q] = a.t <= b.t ? [a, b] : [b, a];
  const d1 = p.slope + q.slope - (3 * (p.f - q.f)) / (p.t - q.t);
  const square = d1 * d1 - p.slope * q.slope;
  const d2 = Math.sqrt(square);
  const t = q.t - (q.t - p.t) * ((q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2));
  return Number.isFinite(t) ? Math.min(Math.max(t, bounds[0]), bounds[1]) : (bounds[0] + bounds[1]) / 2;
}
