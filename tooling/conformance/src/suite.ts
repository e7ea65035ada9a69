/**
 * What every engine has to pass: for each op record and each of its samples,
 * kernel = reference, dense and scattered; gradients in f32 = gradients of the references in f64; same bits for any number of threads.
 */
import { gradcheck, gradgradcheck, gradients } from "@nn/autograd";
import { allOps, apply, concat, defaultBackend, isFloat, scope, trace, withEngine, withReference, type Engine, type OpRecord, type Sample, type Tensor } from "@nn/tensor";
import { afterAll, describe, expect, it } from "vitest";
import type { Row } from "./coverage.ts";
import { makeInputs, scattered, type Inputs } from "./inputs.ts";

/** |ours − reference| relative to the largest |reference| of the tensor. Looser ones say why. */
const tolerance = 1e-5;
const looser: Record<string, { tolerance: number; because: string }> = {
  tan: { tolerance: 2e-5, because: "its derivative reaches 3.4 at the ends of the sample range" },
  pow: { tolerance: 2e-5, because: "exp(b·log a) doubles the relative error of log" },
};

type Outputs = Tensor | Record<string, Tensor>;
const list = (op: OpRecord, y: Outputs): Tensor[] => ("shape" in y ? [y as Tensor] : op.outputNames.map((n) => (y as Record<string, Tensor>)[n]!));
const numbers = (op: OpRecord, y: Outputs): Float64Array[] => list(op, y).map((t) => Float64Array.from(t.dataSync()));
/** What gradients start from: the differentiable output, several of them as one vector. */
function smooth(op: OpRecord, y: Outputs): Tensor {
  const outputs = list(op, y).filter((_, i) => op.differentiable.includes(op.outputNames[i]!));
  return outputs.length === 1 ? outputs[0]! : concat(outputs.map((t) => t.flatten()));
}
const flat = (op: OpRecord, inputs: Inputs): Tensor[] => op.inputNames.flatMap((n) => inputs[n] ?? []);

const differentiable = (op: OpRecord): boolean => Object.values(op.vjp).some((rule) => typeof rule === "function");

function close(op: OpRecord, ours: Float64Array, reference: Float64Array, what: string): void {
  const limit = looser[op.name]?.tolerance ?? tolerance;
  const largest = reference.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 0);
  for (let i = 0; i < reference.length; i++) {
    const [a, b] = [ours[i]!, reference[i]!];
    if (Object.is(a, b) || Math.abs(a - b) <= limit * largest) continue;
    expect.fail(`${op.name}: ${what}[${i}] is ${a}, the reference says ${b} (largest ${largest}, allowed ${limit} of it)`);
  }
  expect(ours.length).toBe(reference.length);
}

/** Cases of one op: what the record's samples give, with a short name. */
const casesOf = (op: OpRecord): [string, Sample][] => op.samples.map((s, i) => [`${i}: ${JSON.stringify(s.inputs)} ${JSON.stringify(s.attrs)}`.slice(0, 140), s]);

/**
 * Gradients of Σ y·dy with respect to every differentiable float input, in the record's order;
 * for order 2, gradients of Σ g·g over those gradients, with respect to the inputs and dy.
 */
function gradientsOf(op: OpRecord, sample: Sample, float: "f32" | "f64", layout: (t: Tensor) => Tensor, order: 1 | 2 = 1): Float64Array[] {
  return scope(() => {
    const inputs = makeInputs(op, sample, float, layout);
    const wanted: Tensor[] = [];
    for (const name of op.inputNames) {
      const value = inputs[name];
      if (value === undefined || typeof op.vjp[name] !== "function") continue;
      const watch = (t: Tensor) => {
        if (!isFloat(t.dtype)) return t;
        const w = t.detach().requireGrad();
        wanted.push(w);
        return w;
      };
      inputs[name] = Array.isArray(value) ? value.map(watch) : watch(value);
    }
    const y = smooth(op, apply(op, inputs, sample.attrs));
    if (wanted.length === 0 || !y.requiresGrad) return [];
    const dy = makeInputs({ ...op, name: `${op.name} dy`, inputNames: ["dy"], list: null }, { inputs: { dy: y.shape }, attrs: {} }, float)["dy"] as Tensor;
    const read = (g: Tensor | null, like: Tensor) => (g ? Float64Array.from(g.dataSync()) : new Float64Array(like.size));
    if (order === 1) return gradients(y, wanted, { gradient: dy }).map((g, i) => read(g, wanted[i]!));
    dy.requireGrad();
    const first = gradients(y, wanted, { gradient: dy, createGraph: true });
    const total = first.flatMap((g) => (g?.requiresGrad ? [g.mul(g).sum()] : [])).reduce<Tensor | null>((a, b) => (a ? a.add(b) : b), null);
    const all = [...wanted, dy];
    return total ? gradients(total, all).map((g, i) => read(g, all[i]!)) : [];
  });
}

const outputDType = (op: OpRecord, sample: Sample): string => scope(() => withReference(() => list(op, apply(op, makeInputs(op, sample, "f64"), sample.attrs))[0]!.dtype));

/** Registers the suite for one engine. `done` receives a row per op for COVERAGE.md. */
export function conformance(label: string, makeEngine: () => Engine, done?: (rows: Row[]) => void): void {
  describe(label, () => {
    const engine = makeEngine();
    const rows: Row[] = [];
    const on = <T>(f: () => T): T => withEngine(engine, () => scope(f));

    for (const op of allOps.values()) {
      const row: Row = { op: op.name, forward: "", backward: "", second: "" };
      rows.push(row);
      describe(op.name, () => {
        it.each(casesOf(op))("forward %s", (_, sample) => {
          on(() => {
            const reference = withReference(() => numbers(op, apply(op, makeInputs(op, sample, "f64"), sample.attrs)));
            for (const layout of [(t: Tensor) => t, scattered]) {
              const inputs = makeInputs(op, sample, "f32", layout);
              numbers(op, apply(op, inputs, sample.attrs)).forEach((ours, i) => close(op, ours, reference[i]!, op.outputNames[i]!));
            }
          });
        });

        it("runs the kernel its table names", () => {
          const entry = on(() => defaultBackend().kernels[op.name]);
          row.forward = op.view ? "view" : "kernel";
          if (!entry || "fallback" in entry) {
            expect(op.view !== undefined || (entry && "fallback" in entry && entry.fallback.length > 0), `${op.name} has neither kernel nor reason`).toBe(true);
            if (entry && "fallback" in entry && !op.view) row.forward = `fallback: ${entry.fallback}`;
            return;
          }
          const launched = on(() => trace(() => op.samples.forEach((s) => apply(op, makeInputs(op, s, "f32"), s.attrs))).kernels);
          expect(op.view !== undefined || launched.some((k) => k.endsWith(engine.isa)), `launched ${launched.join(", ")}`).toBe(true);
        });

        if (!differentiable(op)) {
          const why = Object.values(op.vjp).map((rule) => (typeof rule === "function" ? "" : rule.noGradient))[0] ?? "no inputs";
          row.backward = row.second = `none: ${why}`;
          return;
        }
        it.each(casesOf(op))("backward %s", (_, sample) => {
          on(() => {
            const reference = withReference(() => gradientsOf(op, sample, "f64", (t) => t));
            for (const layout of [(t: Tensor) => t, scattered]) gradientsOf(op, sample, "f32", layout).forEach((ours, i) => close(op, ours, reference[i]!, `gradient ${i}`));
          });
          row.backward = "✓";
        });
        it("second order", () => {
          for (const sample of op.samples) {
            on(() => {
              const reference = withReference(() => gradientsOf(op, sample, "f64", (t) => t, 2));
              gradientsOf(op, sample, "f32", (t) => t, 2).forEach((ours, i) => close(op, ours, reference[i]!, `second gradient ${i}`));
            });
          }
          row.second = "✓";
        });
        it("gives the same bits with 1, 2 and 3 threads", () => {
          const threads = engine.threads;
          const runs = [1, 2, 3].map((n) => {
            engine.setThreads(n);
            return on(() => op.samples.map((s) => [...numbers(op, apply(op, makeInputs(op, s, "f32"), s.attrs)), ...gradientsOf(op, s, "f32", (t) => t)]));
          });
          engine.setThreads(threads);
          expect(runs[1]).toEqual(runs[0]);
          expect(runs[2]).toEqual(runs[0]);
        });
      });
    }
    if (done) afterAll(() => done(rows));
  });
}

/** The rules themselves, in f64 on references: first and second order by differences. Engine-independent. */
export function gradientRules(): void {
  describe("gradient rules", () => {
    for (const op of allOps.values()) {
      if (!differentiable(op)) continue;
      // Differences need something to move, and a result that is not rounded to f32.
      const sized = casesOf(op).filter(([, s]) => flat(op, makeInputs(op, s, "f64")).every((t) => t.size > 0) && outputDType(op, s) === "f64");
      it.each(sized)(`${op.name} %s`, (_, sample) => {
        scope(() =>
          withReference(() => {
            const inputs = makeInputs(op, sample, "f64");
            const tensors = flat(op, inputs);
            // Only inputs with a rule are moved; the others are held.
            const movable = new Set(op.inputNames.flatMap((n) => (typeof op.vjp[n] === "function" ? (inputs[n] ?? []) : [])));
            const moving = tensors.filter((t) => movable.has(t) && isFloat(t.dtype));
            const f = (...xs: Tensor[]): Tensor => {
              const replaced = new Map(moving.map((t, i) => [t, xs[i]!]));
              const swap = (t: Tensor): Tensor => replaced.get(t) ?? t;
              const named: Inputs = Object.fromEntries(Object.entries(inputs).map(([n, v]) => [n, Array.isArray(v) ? v.map(swap) : swap(v)]));
              return smooth(op, apply(op, named, sample.attrs));
            };
            gradcheck(f, moving);
            gradgradcheck(f, moving);
          }),
        );
      });
    }
  });
}
