import { ArgumentError, GradError, endStep, scope, tensor, withRecording, type Tensor, type Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
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

/** What `stateDict` gives: numbers, and flat f64 tensors over all weights. */
export interface LBFGSState {
  readonly iterations: number;
  readonly evaluations: number;
  readonly stepLength: number;
  readonly scale: number;
  readonly tensors: Map<string, Tensor>;
}

/** Evaluates the loss at the current weights: clears the gradients, computes them, and returns the loss. */
export type Closure = () => Tensor | number;

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
 */
export class LBFGS {
  readonly options: LBFGSOptions;
  readonly #params: readonly Variable[];
  readonly #size: number;
  #memory: Memory;

  constructor(params: Iterable<Variable>, options: Partial<LBFGSOptions> = {}) {
    this.#params = [...params];
    if (this.#params.length === 0) throw new ArgumentError("LBFGS", "no parameters", { hint: "pass model.parameters()" });
    const maxIter = options.maxIter ?? 20;
    this.options = { lr: 1, maxIter, maxEval: Math.floor(maxIter * 1.25), toleranceGrad: 1e-7, toleranceChange: 1e-9, historySize: 100, lineSearch: "none", ...options };
    for (const name of ["lr", "toleranceGrad", "toleranceChange"] as const) checkRange("LBFGS", name, this.options[name], 0);
    for (const name of ["maxIter", "maxEval", "historySize"] as const) checkRange("LBFGS", name, this.options[name], 1);
    this.#size = this.#params.reduce((sum, p) => sum + p.size, 0);
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
  step(closure: Closure): number {
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange, lineSearch } = this.options;
    const memory = this.#memory;
    const evaluate = (): number => {
      memory.evaluations++;
      return withRecording(true, () => scope(() => valueOf(closure()), "LBFGS.step()"));
    };
    const enter = memory.evaluations;
    const first = evaluate();
    let loss = first;
    let g = this.#gather();
    if (!Number.isFinite(first) || !Number.isFinite(dot(g, g))) throw new GradError("LBFGS", `the loss is ${first}, its squared gradient norm ${dot(g, g)}`, { hint: "start elsewhere, or use lineSearch: \"strongWolfe\"" });

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
          const f = evaluate();
          const gradient = this.#gather();
          return { t, f, g: gradient, slope: dot(gradient, d) };
        };
        const best = strongWolfe(at, { t: 0, f: loss, g, slope }, tried, largest(d), { tolerance: toleranceChange });
        [memory.t, loss, g] = [best.t, best.f, best.g];
        this.#move(w, d, best.t);
      } else {
        this.#move(w, d, tried);
        if (i === maxIter) break; // the next step evaluates here
        loss = evaluate();
        g = this.#gather();
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
      if (memory.s.length === this.options.historySize) [memory.s, memory.y] = [memory.s.slice(1), memory.y.slice(1)];
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
    for (const p of this.#params) {
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
    return this.#flat((p) => p.grad?.dataSync() ?? null);
  }

  /** `w + t·d` */
  #move(w: Float64Array, d: Float64Array, t: number): void {
    let at = 0;
    for (const p of this.#params) {
      const from = at;
      p.write(w.subarray(from, (at += p.size)).map((v, i) => v + t * d[from + i]!), "LBFGS.step()");
    }
  }

  /** Frees all gradients. */
  zeroGrad(): void {
    for (const p of this.#params) {
      p.grad?.dispose();
      p.grad = null;
    }
  }

  stateDict(): LBFGSState {
    const { iterations, evaluations, t, scale, d, gradient, s, y } = this.#memory;
    const lists = { d: [d], gradient: [gradient], s, y };
    const tensors = new Map(Object.entries(lists).flatMap(([name, list]) => list.map((v, i): [string, Tensor] => [`${name}.${i}`, tensor(v)])));
    return { iterations, evaluations, stepLength: t, scale, tensors };
  }

  /** Continues exactly where `state` was taken. @throws ArgumentError if it is of another number of weights. */
  loadStateDict({ iterations, evaluations, stepLength, scale, tensors }: LBFGSState): void {
    const list = (name: string): Float64Array[] => {
      const found: Float64Array[] = [];
      for (let i = 0, v; (v = tensors.get(`${name}.${i}`)); i++) {
        if (iterations > 0 && v.size !== this.#size) throw new ArgumentError("LBFGS", `state '${name}' is of ${v.size} weights, the optimizer has ${this.#size}`);
        found.push(v.dataSync() as Float64Array);
      }
      return found;
    };
    const none = new Float64Array(0);
    this.#memory = { iterations, evaluations, t: stepLength, scale, d: list("d")[0] ?? none, gradient: list("gradient")[0] ?? none, s: list("s"), y: list("y") };
  }
}

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
