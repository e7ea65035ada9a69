/** `@nn/optim/lbfgs`: for full batches; a module of its own, as most pages need none. */
import { ArgumentError, GradError, denseGradient, endStep, scope, tensor, withRecording, type Tensor, type Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import { Optimizer, type Closure, type Group, type OptimizerState } from "./optimizer.ts";
import { strongWolfe, type LinePoint } from "./wolfe.ts";

export interface LBFGSOptions {
  /** Step along the direction; the first try of a line search. */
  lr: number;
  /** Most iterations, and most evaluations (1.25 · maxIter), of one `step`. */
  maxIter: number;
  maxEval: number;
  /** Stop at a largest |gradient| of this, or at a change of weights or loss below that. */
  toleranceGrad: number;
  toleranceChange: number;
  /** Pairs (s, y) that stand for the Hessian; each takes twice the memory of the weights, in f64. */
  historySize: number;
  /** "strongWolfe" looks for a step that decreases the loss enough; "none" always goes `lr`. */
  lineSearch: "none" | "strongWolfe";
}

interface Evaluation {
  readonly f: number;
  readonly g: Float64Array;
}

interface Memory {
  iterations: number;
  evaluations: number;
  /** `w ← w + t·d` was the last move. */
  t: number;
  d: Float64Array;
  gradient: Float64Array;
  /** γ of the first guess H⁻¹ ≈ γI. */
  scale: number;
  s: Float64Array[];
  y: Float64Array[];
}

/**
 * L-BFGS (Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization"): `d = −H⁻¹g` from the last pairs
 * `s = Δw, y = Δg` by two loops, `w ← w + t·d`. For smooth losses of full batches. Not element-wise, so not a rule: it works on
 * all weights as one f64 vector, whatever their dtype. Options and stop rules as in PyTorch.
 *
 * @throws ArgumentError for more than one group: one step length moves all weights.
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  override readonly needsClosure = true;
  readonly #size: number;
  #memory: Memory;

  constructor(params: Iterable<Variable> | readonly Group<LBFGSOptions>[], options: Partial<LBFGSOptions> = {}) {
    const maxIter = options.maxIter ?? 20;
    super(params, { lr: 1, maxIter, maxEval: Math.floor(maxIter * 1.25), toleranceGrad: 1e-7, toleranceChange: 1e-9, historySize: 100, lineSearch: "none", ...options }, check);
    if (this.groups.length > 1) throw new ArgumentError("LBFGS", `${this.groups.length} groups`, { hint: "it has one step length for all weights: pass them as one list" });
    this.#size = this.params.reduce((sum, p) => sum + p.size, 0);
    this.#memory = { iterations: 0, evaluations: 0, t: 0, d: new Float64Array(0), gradient: new Float64Array(0), scale: 1, s: [], y: [] };
  }

  /** Iterations and evaluations of all steps so far. */
  get iterations(): number {
    return this.#memory.iterations;
  }
  get evaluations(): number {
    return this.#memory.evaluations;
  }

  /**
   * Up to `maxIter` iterations. Returns the loss before the first of them.
   *
   * @throws GradError if that loss or its gradient is not finite; the weights are unchanged then.
   */
  override step(closure?: Closure): number {
    if (!closure) throw new ArgumentError("LBFGS", "step() without a closure", { hint: "pass a function that clears the gradients, computes them and returns the loss" });
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange, lineSearch } = this.groups[0]!.options;
    const memory = this.#memory;
    const evaluate = (): Evaluation => {
      memory.evaluations++;
      return withRecording(true, () => scope(() => ({ f: valueOf(closure()), g: this.#gather() }), "LBFGS.step()"));
    };
    const enter = memory.evaluations;
    let { f: loss, g } = evaluate();
    const first = loss;
    if (!Number.isFinite(first) || !Number.isFinite(dot(g, g))) throw new GradError("LBFGS", `the loss is ${first}, its squared gradient norm ${dot(g, g)}`, { hint: "start elsewhere, or use lineSearch: \"strongWolfe\"" });
    this.stepCount++;

    for (let i = 1; i <= maxIter && largest(g) > toleranceGrad; i++) {
      memory.iterations++;
      const d = this.#direction(g);
      const before = loss;
      const w = this.#weights();
      const tried = memory.iterations === 1 ? Math.min(1, 1 / g.reduce((sum, v) => sum + Math.abs(v), 0)) * lr : lr;
      const slope = dot(g, d);
      Object.assign(memory, { d, gradient: g, t: tried });
      if (slope > -toleranceChange) break;

      if (lineSearch === "strongWolfe") {
        const at = (t: number): LinePoint => {
          this.#move(w, d, t);
          const here = evaluate();
          return { t, ...here, slope: dot(here.g, d) };
        };
        const best = strongWolfe(at, { t: 0, f: loss, g, slope }, tried, largest(d), { tolerance: toleranceChange });
        [memory.t, loss, g] = [best.t, best.f, best.g];
        this.#move(w, d, best.t);
      } else {
        this.#move(w, d, tried);
        if (i === maxIter) break; // the next step evaluates here
        ({ f: loss, g } = evaluate());
      }
      if (memory.evaluations - enter >= maxEval || largest(d) * memory.t <= toleranceChange || Math.abs(loss - before) < toleranceChange) break;
    }
    endStep();
    return first;
  }

  /** Adds the last move to the history and returns `−H⁻¹g`. */
  #direction(g: Float64Array): Float64Array {
    const memory = this.#memory;
    if (memory.iterations === 1) return g.map((v) => -v);
    const y = g.map((v, i) => v - memory.gradient[i]!);
    const s = memory.d.map((v) => v * memory.t);
    const curvature = dot(y, s);
    if (curvature > 1e-10) {
      if (memory.s.length === this.groups[0]!.options.historySize) [memory.s, memory.y] = [memory.s.slice(1), memory.y.slice(1)];
      memory.s.push(s);
      memory.y.push(y);
      memory.scale = curvature / dot(y, y);
    }
    const rho = memory.s.map((past, i) => 1 / dot(memory.y[i]!, past));
    const alpha: number[] = [];
    const q = g.map((v) => -v);
    for (let i = rho.length - 1; i >= 0; i--) {
      alpha[i] = dot(memory.s[i]!, q) * rho[i]!;
      addTo(q, memory.y[i]!, -alpha[i]!);
    }
    const r = q.map((v) => v * memory.scale);
    for (let i = 0; i < rho.length; i++) addTo(r, memory.s[i]!, alpha[i]! - dot(memory.y[i]!, r) * rho[i]!);
    return r;
  }

  #flat(read: (p: Variable) => ArrayLike<number> | null): Float64Array {
    const all = new Float64Array(this.#size);
    let at = 0;
    for (const p of this.params) {
      const values = read(p);
      if (values) all.set(values, at);
      at += p.size;
    }
    return all;
  }
  #weights(): Float64Array {
    return this.#flat((p) => p.dataSync());
  }
  /** Parameters without a gradient do not move. */
  #gather(): Float64Array {
    return this.#flat((p) => p.grad && denseGradient(p.grad).dataSync());
  }

  /** `w + t·d` */
  #move(w: Float64Array, d: Float64Array, t: number): void {
    let at = 0;
    for (const p of this.params) {
      const from = at;
      p.write(w.subarray(from, (at += p.size)).map((v, i) => v + t * d[from + i]!), "LBFGS.step()");
    }
  }

  /** Over all weights: `d`, `gradient`, `s.0`, …, `y.0`, …; and `numbers`. All f64. */
  override stateDict(): OptimizerState {
    const { iterations, evaluations, t, scale, d, gradient, s, y } = this.#memory;
    const vectors = { numbers: Float64Array.of(iterations, evaluations, t, scale), d, gradient, ...indexed("s", s), ...indexed("y", y) };
    const tensors = new Map(Object.entries(vectors).map(([name, v]) => [name, tensor(v)]));
    return { step: this.stepCount, updates: this.params.map(() => this.stepCount), tensors, options: [{ ...this.groups[0]!.options }] };
  }

  override loadStateDict({ step, tensors, options }: OptimizerState): void {
    const read = (name: string): Float64Array => {
      const v = tensors.get(name);
      if (!v) throw new ArgumentError("LBFGS", `the state has no '${name}'`, { hint: "it is of another optimizer" });
      return v.dataSync() as Float64Array;
    };
    const [iterations, evaluations, t, scale] = read("numbers") as unknown as [number, number, number, number];
    const list = (name: string): Float64Array[] => [...tensors.keys()].filter((key) => key.startsWith(`${name}.`)).map((_, i) => read(`${name}.${i}`));
    const memory = { iterations, evaluations, t, scale, d: read("d"), gradient: read("gradient"), s: list("s"), y: list("y") };
    const other = [memory.d, memory.gradient, ...memory.s, ...memory.y].find((v) => iterations > 0 && v.length !== this.#size);
    if (other) throw new ArgumentError("LBFGS", `the state is of ${other.length} weights, the optimizer has ${this.#size}`);
    Object.assign(this.groups[0]!.options, options[0]);
    this.stepCount = step;
    this.#memory = memory;
  }
}

function check(options: LBFGSOptions): void {
  for (const name of ["lr", "toleranceGrad", "toleranceChange"] as const) checkRange("LBFGS", name, options[name], 0);
  for (const name of ["maxIter", "maxEval", "historySize"] as const) checkRange("LBFGS", name, options[name], 1);
}

const indexed = (name: string, list: readonly Float64Array[]): Record<string, Float64Array> => Object.fromEntries(list.map((v, i) => [`${name}.${i}`, v]));
const valueOf = (loss: Tensor | number): number => (typeof loss === "number" ? loss : loss.item());

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
function largest(a: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]!));
  return most;
}
/** `a += k·b` */
function addTo(a: Float64Array, b: Float64Array, k: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += k * b[i]!;
}
