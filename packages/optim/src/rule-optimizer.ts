/** Drives a rule: state, one fused pass over all parameters per step, the end of the training step. */
import { ArgumentError, RowGradient, ShapeError, Variable, endStep, noGrad, runOver, tensor, traceProgram, zeros, type Backend, type Tensor } from "@nn/tensor";
import { Optimizer, type Group, type OptimizerState } from "./optimizer.ts";
import type { Rule } from "./rule.ts";

type Program = ReturnType<typeof traceProgram>;

/** An optimizer that is a rule. Of a parameter whose gradient is a `RowGradient` it reads and writes these rows alone, and of its state. */
export class RuleOptimizer<O extends { lr: number }> extends Optimizer<O> {
  readonly #makeRule: (options: O) => Rule;
  // Bias corrections follow the updates of each parameter, as in PyTorch: one without a gradient does not age.
  readonly #updates = new Map<Variable, number>();
  readonly #state = new Map<Variable, Record<string, Variable>>();

  constructor(params: Iterable<Variable> | readonly Group<O>[], defaults: O, makeRule: (options: O) => Rule) {
    super(params, defaults, makeRule);
    this.#makeRule = makeRule;
  }

  /** Updates every parameter that has a gradient, then ends the training step: results of the step before go back to the pool. */
  step(): void {
    this.stepCount++;
    noGrad(() => {
      for (const { params, options } of this.groups) this.#update(params.filter((p) => p.grad !== null), this.#makeRule(options));
    });
    endStep();
  }

  #update(params: readonly Variable[], rule: Rule): void {
    // All parameters of one engine and age go in one launch; commonly that is all of them.
    const launches = new Map<Backend, Map<number, Variable[]>>();
    for (const p of params) {
      const { dtype } = p.grad!;
      const shape = p.grad instanceof RowGradient ? p.grad.tableShape : p.grad!.shape;
      if (dtype !== p.dtype || shape.join() !== p.shape.join()) throw new ShapeError("Optimizer", `gradient ${dtype}[${shape.join(",")}] of a parameter ${p.dtype}[${p.shape.join(",")}]`);
      const t = (this.#updates.get(p) ?? 0) + 1;
      this.#updates.set(p, t);
      if (p.dtype !== "f32") {
        this.#plain(p, rule, rule.numbers(t));
        continue;
      }
      let ages = launches.get(p.backend);
      if (!ages) launches.set(p.backend, (ages = new Map()));
      const list = ages.get(t);
      if (list) list.push(p);
      else ages.set(t, [p]);
    }
    for (const [backend, ages] of launches) for (const [t, list] of ages) this.#fused(backend, list, rule, rule.numbers(t));
  }

  /** One pass over parameters, gradients and state, in place. */
  #fused(backend: Backend, params: readonly Variable[], rule: Rule, numbers: Record<string, number>): void {
    const segments = params.map((p) => {
      const own = [p as Tensor, ...rule.state.map((name) => this.#stateOf(p, rule)[name]! as Tensor)];
      const { grad } = p;
      return { inputs: [own[0]!, grad!.contiguous(), ...own.slice(1)], outputs: own, rows: grad instanceof RowGradient ? grad.rows : null };
    });
    runOver(backend, program(rule, numbers), segments, Object.values(numbers), "optimizer.step()");
  }

  /** The rule as it is written: for f64. */
  #plain(p: Variable, rule: Rule, numbers: Record<string, number>): void {
    const rows = p.grad instanceof RowGradient ? p.grad.rows : null;
    const own: Record<string, Variable> = { w: p, ...this.#stateOf(p, rule) };
    const { w, ...state } = mapValues(own, (t) => (rows ? t.indexSelect(0, tensor(rows)) : t));
    const next: Record<string, Tensor> = rule.step(w!, p.grad!, state, mapValues(numbers, (v) => zeros([], { dtype: p.dtype }).add(v)));
    for (const name in own) write(own[name]!, rows, next[name]!.dataSync() as Float64Array);
  }

  #stateOf(p: Variable, rule: Rule): Record<string, Variable> {
    let state = this.#state.get(p);
    if (!state) this.#state.set(p, (state = Object.fromEntries(rule.state.map((name) => [name, blank(p)]))));
    return state;
  }

  /** State to save: names are `<parameter position>.<state name>`. The tensors are the optimizer's own. */
  stateDict(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    this.params.forEach((p, i) => {
      for (const [name, t] of Object.entries(this.#state.get(p) ?? {})) tensors.set(`${i}.${name}`, t);
    });
    const updates = this.params.map((p) => this.#updates.get(p) ?? 0);
    return { step: this.stepCount, updates, tensors, options: this.groups.map(({ options }) => ({ ...options })) };
  }

  /** Continues exactly where `state` was taken. @throws ArgumentError if it belongs to other parameters. */
  loadStateDict(state: OptimizerState): void {
    const { params } = this;
    if (state.options.length !== this.groups.length) throw new ArgumentError("Optimizer", `state has ${state.options.length} groups, the optimizer ${this.groups.length}`);
    for (const [key, t] of state.tensors) {
      const p = params[Number.parseInt(key)];
      if (!p || p.shape.join() !== t.shape.join()) throw new ArgumentError("Optimizer", `state '${key}' has shape [${t.shape.join(",")}], which fits no parameter there`);
    }
    if (state.updates.length !== params.length) throw new ArgumentError("Optimizer", `state is of ${state.updates.length} parameters, the optimizer has ${params.length}`);
    this.groups.forEach(({ options }, i) => Object.assign(options, state.options[i]));
    params.forEach((p, i) => this.#updates.set(p, state.updates[i]!));
    for (const { params: own, options } of this.groups) {
      const rule = this.#makeRule(options);
      for (const p of own) {
        const i = params.indexOf(p);
        const saved = rule.state.map((name) => state.tensors.get(`${i}.${name}`));
        const missing = rule.state.find((_, k) => saved[k] === undefined);
        if (missing === undefined) {
          rule.state.forEach((name, k) => this.#stateOf(p, rule)[name]!.write(saved[k]!.dataSync(), "loadStateDict"));
        } else if (state.updates[i]! > 0) {
          throw new ArgumentError("Optimizer", `state of parameter ${i} lacks '${missing}' after ${state.updates[i]} updates`);
        } else {
          this.#state.delete(p); // before its first update it has none
        }
      }
    }
    this.stepCount = state.step;
  }
}

function blank(p: Variable): Variable {
  const value: Tensor = zeros(p.shape, { dtype: p.dtype });
  const state = new Variable(value, { take: true });
  value.dispose();
  return state;
}

const mapValues = <A, B>(record: Record<string, A>, f: (value: A) => B): Record<string, B> => Object.fromEntries(Object.entries(record).map(([name, v]) => [name, f(v)]));

/** Puts `data` into all of `t`, or into these rows. */
function write(t: Variable, rows: Int32Array | null, data: Float64Array): void {
  const width = t.size / (rows ? t.shape[0]! : 1);
  const all = t.unsafeView() as Float64Array;
  (rows ?? [0]).forEach((row, k) => all.set(data.subarray(k * width, (k + 1) * width), row * width));
  t.storage.touch("optimizer.step()");
}

const programs = new Map<string, Program>();
function program(rule: Rule, numbers: Record<string, number>): Program {
  let known = programs.get(rule.key);
  if (!known) {
    const names = Object.keys(numbers);
    known = traceProgram(rule.key, 2 + rule.state.length, names.length, ([w, g, ...state], params) => {
      const next: Record<string, Tensor> = rule.step(w!, g!, Object.fromEntries(rule.state.map((n, i) => [n, state[i]!])), Object.fromEntries(names.map((n, i) => [n, params[i]!])));
      return [next["w"]!, ...rule.state.map((name) => next[name]!)];
    });
    programs.set(rule.key, known);
  }
  return known;
}
