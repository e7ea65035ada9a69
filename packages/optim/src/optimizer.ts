/** The driver: groups, state, one fused pass per step, the end of the training step. */
import {
  ArgumentError,
  ShapeError,
  endStep,
  noGrad,
  runOver,
  traceProgram,
  Variable,
  zeros,
  type Backend,
  type Tensor,
} from "@nn/tensor";
import type { Rule } from "./rule.ts";

/** Parameters with options of their own. */
export type Group<O> = { params: Iterable<Variable> } & Partial<O>;
type Program = ReturnType<typeof traceProgram>;

interface OpenGroup<O> {
  readonly params: readonly Variable[];
  /** May be changed between steps: `optimizer.groups[0].options.lr = 1e-4`. */
  readonly options: O;
  /** The rule under the options as they are now. */
  readonly rule: () => Rule;
}

/** Names and typed values of an optimizer's state, as stored in a checkpoint. */
export interface OptimizerState {
  /** Calls of `step()`, and updates each parameter has had (fewer where it had no gradient). */
  readonly step: number;
  readonly updates: readonly number[];
  /** Per parameter, in order of the groups. */
  readonly tensors: Map<string, Tensor>;
  readonly options: object[];
}

export class Optimizer<O extends { lr: number }> {
  readonly groups: readonly OpenGroup<O>[];
  /** Calls of `step()` so far. */
  stepCount = 0;
  // Bias corrections follow the updates of each parameter, as in PyTorch: one without a gradient does not age.
  readonly #updates = new Map<Variable, number>();
  readonly #state = new Map<Variable, Record<string, Variable>>();

  constructor(params: Iterable<Variable> | readonly Group<O>[], defaults: O, makeRule: (options: O) => Rule) {
    const list = [...(params as Iterable<Variable | Group<O>>)];
    if (list.length === 0) throw new ArgumentError("Optimizer", "no parameters", { hint: "pass model.parameters()" });
    const groups = list.every((p) => "params" in p) ? (list as Group<O>[]) : [{ params: list as Variable[] } as unknown as Group<O>];
    this.groups = groups.map(({ params: own, ...given }) => {
      const options = { ...defaults, ...given };
      return { params: [...own], options, rule: () => makeRule(options) };
    });
    const seen = new Set<Variable>();
    for (const p of this.#params()) {
      if (!(p instanceof Variable)) throw new ArgumentError("Optimizer", `expected parameters, got ${typeof p === "object" ? (p as object).constructor.name : String(p)}`, { hint: "pass model.parameters()" });
      if (seen.has(p)) throw new ArgumentError("Optimizer", `a parameter of shape [${p.shape.join(",")}] is in two groups`);
      seen.add(p);
    }
    for (const { rule } of this.groups) rule(); // refuses bad options now, not at the first step
  }

  /** Learning rate of the first group; setting it sets all groups. */
  get lr(): number {
    return this.groups[0]!.options.lr;
  }
  set lr(lr: number) {
    for (const { options } of this.groups) options.lr = lr;
  }

  *#params(): Generator<Variable> {
    for (const { params } of this.groups) yield* params;
  }

  /** Updates every parameter that has a gradient, then ends the training step: results of the step before go back to the pool. */
  step(): void {
    this.stepCount++;
    noGrad(() => {
      for (const { params, rule } of this.groups) this.#update(params.filter((p) => p.grad !== null), rule());
    });
    endStep();
  }

  #update(params: readonly Variable[], rule: Rule): void {
    // All parameters of one engine and age go in one launch; commonly that is all of them.
    const launches = new Map<Backend, Map<number, Variable[]>>();
    for (const p of params) {
      if (p.grad!.dtype !== p.dtype) throw new ShapeError("Optimizer", `gradient ${p.grad!.dtype} of a ${p.dtype} parameter`);
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
      return { inputs: [own[0]!, p.grad!.contiguous(), ...own.slice(1)], outputs: own };
    });
    runOver(backend, program(rule, numbers), segments, Object.values(numbers), "optimizer.step()");
  }

  /** The rule as it is written: for f64. */
  #plain(p: Variable, rule: Rule, numbers: Record<string, number>): void {
    const state = this.#stateOf(p, rule);
    const scalars = Object.fromEntries(Object.entries(numbers).map(([name, v]) => [name, zeros([], { dtype: p.dtype }).add(v)]));
    const next: Record<string, Tensor> = rule.step(p, p.grad!, state, scalars);
    p.write(next["w"]!.dataSync(), "optimizer.step()");
    for (const name of rule.state) state[name]!.write(next[name]!.dataSync(), "optimizer.step()");
  }

  #stateOf(p: Variable, rule: Rule): Record<string, Variable> {
    let state = this.#state.get(p);
    if (!state) this.#state.set(p, (state = Object.fromEntries(rule.state.map((name) => [name, blank(p)]))));
    return state;
  }

  /** Frees all gradients. */
  zeroGrad(): void {
    for (const { params } of this.groups) {
      for (const p of params) {
        p.grad?.dispose();
        p.grad = null;
      }
    }
  }

  /** State to save: names are `<parameter position>.<state name>`. The tensors are the optimizer's own. */
  stateDict(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    [...this.#params()].forEach((p, i) => {
      for (const [name, t] of Object.entries(this.#state.get(p) ?? {})) tensors.set(`${i}.${name}`, t);
    });
    const updates = [...this.#params()].map((p) => this.#updates.get(p) ?? 0);
    return { step: this.stepCount, updates, tensors, options: this.groups.map(({ options }) => ({ ...options })) };
  }

  /** Continues exactly where `state` was taken. @throws ArgumentError if it belongs to other parameters. */
  loadStateDict(state: OptimizerState): void {
    const params = [...this.#params()];
    if (state.options.length !== this.groups.length) throw new ArgumentError("Optimizer", `state has ${state.options.length} groups, the optimizer ${this.groups.length}`);
    for (const [key, t] of state.tensors) {
      const p = params[Number.parseInt(key)];
      if (!p || p.shape.join() !== t.shape.join()) throw new ArgumentError("Optimizer", `state '${key}' has shape [${t.shape.join(",")}], which fits no parameter there`);
    }
    if (state.updates.length !== params.length) throw new ArgumentError("Optimizer", `state is of ${state.updates.length} parameters, the optimizer has ${params.length}`);
    this.groups.forEach(({ options }, i) => Object.assign(options, state.options[i]));
    params.forEach((p, i) => this.#updates.set(p, state.updates[i]!));
    for (const { params: own, rule: ruleNow } of this.groups) {
      const rule = ruleNow();
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
