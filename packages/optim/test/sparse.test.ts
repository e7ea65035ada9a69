/** Optimizers under gradients that hold few rows of a table: what they update, and what they do not even look at. */
import { RowGradient, embedding, endStep, getEngine, memory, tensor, trace, variable, zeros, type Tensor, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { Adam, Nesterov, SGD, WeightAverage, clipGradAdaptive, clipGradNorm, clipGradNormPerLayer, clipGradValue, type Optimizer } from "@nn/optim";
import { LBFGS } from "@nn/optim/lbfgs";
import { describe, expect, it } from "vitest";
import { rules } from "./rules.ts";

const dim = 19; // no multiple of a vector
type Precision = "f32" | "f64";
const wave = (n: number, phase: number): Float64Array => Float64Array.from({ length: n }, (_, i) => Math.fround(Math.sin(phase + 0.7 * i)));
const table = (rows: number, dtype: Precision = "f32"): Variable => variable(tensor(wave(rows * dim, 1), { shape: [rows, dim], dtype })).requireGrad() as Variable;
const gradient = (rows: readonly number[], tableRows: number, phase: number, dtype: Precision = "f32"): RowGradient =>
  new RowGradient(tensor(wave(rows.length * dim, phase), { shape: [rows.length, dim], dtype }) as Tensor, Int32Array.from(rows), tableRows, null);
const rowOf = (t: Tensor, row: number): number[] => [...t.dataSync().subarray(row * dim, (row + 1) * dim)];

describe.each(rules)("%s", (_, Rule, options) => {
  it.each(["f32", "f64"] as const)("does to the rows of a gradient what it does to a table of only these, and nothing to others, %s", (dtype) => {
    const rows = [0, 2, 3, 8];
    const large = table(9, dtype);
    const small = variable(large.indexSelect(0, tensor(Int32Array.from(rows)) as Tensor)).requireGrad() as Variable;
    const before = variable(large);
    const [lazy, dense] = [new Rule([large], { lr: 0.01, ...options }), new Rule([small], { lr: 0.01, ...options })];
    for (let i = 0; i < 8; i++) {
      large.grad = gradient(rows, 9, i, dtype);
      small.grad = large.grad.detach().moveTo(null);
      lazy.step();
      dense.step();
    }
    const pairs: [Tensor, Tensor][] = [[large, small], ...[...lazy.stateDict().tensors].map(([name, t]): [Tensor, Tensor] => [t, dense.stateDict().tensors.get(name)!])];
    for (const [all, few] of pairs) rows.forEach((row, k) => expect(rowOf(all, row)).toEqual(rowOf(few, k)));
    for (const row of [1, 4, 5, 6, 7]) {
      expect(rowOf(large, row)).toEqual(rowOf(before, row));
      for (const t of lazy.stateDict().tensors.values()) expect(rowOf(t, row)).toEqual(new Array(dim).fill(0));
    }
  });
});

describe("a step", () => {
  it("is handed the addresses of the rows alone, of the table and of its moments", () => {
    const rows = [1, 500, 999];
    const w = table(1000);
    const optimizer = new Adam([w]);
    w.grad = gradient([0], 1000, 0);
    optimizer.step(); // makes the moments
    w.grad = gradient(rows, 1000, 1);
    const { launches } = trace(() => optimizer.step(), ({ call }) => {
      if (call?.name !== "mapList") return;
      const { segments, count, nin, nout } = call.args;
      const width = 1 + nin + nout;
      const list = [...getEngine().f64(segments, count * width)];
      const starts = [w, ...optimizer.stateDict().tensors.values()].map((t) => t.storage.pointer);
      const own = (row: number): number[] => starts.map((start) => start + 4 * dim * row);
      const expected = rows.flatMap((row, k) => [dim, own(row)[0]!, w.grad!.storage.pointer + 4 * dim * k, ...own(row).slice(1), ...own(row)]);
      expect(list).toEqual(expected);
    });
    expect(launches.map(({ kernel }) => kernel)).toEqual([`mapList_${getEngine().isa}`]);
  });

  it("goes on from a saved state with the same bits", () => {
    const run = (interrupt: boolean): number[] => {
      const w = table(6);
      let optimizer = new Adam([w], { lr: 0.1 });
      for (let i = 0; i < 6; i++) {
        if (interrupt && i === 3) {
          const state = optimizer.stateDict();
          optimizer = new Adam([w]);
          optimizer.loadStateDict(state);
        }
        w.grad = gradient([i % 3, 4], 6, i);
        optimizer.step();
      }
      return [...w.dataSync()];
    };
    expect(run(true)).toEqual(run(false));
  });

  it("keeps no memory", () => {
    const w = table(50);
    const optimizer = new Adam([w]);
    const held: number[] = [];
    for (let i = 0; i < 6; i++) {
      for (const ids of [[i, 7, 7], [7, 8]]) embedding(tensor(Int32Array.from(ids)) as Tensor, w as Tensor, { sparse: true }).square().sum().backward();
      clipGradNorm([w], 0.1);
      optimizer.step();
      optimizer.zeroGrad();
      endStep();
      held.push(memory.report().reduce((sum, o) => sum + o.tensors, 0));
    }
    expect(held[5]).toBe(held[2]);
  });

  it("refuses a gradient of another table", () => {
    const w = table(6);
    w.grad = gradient([2], 7, 0);
    expect(() => new SGD([w]).step()).toThrowErrorMatchingInlineSnapshot(`[ShapeError: Optimizer: gradient f32[7,19] of a parameter f32[6,19]]`);
    w.grad = zeros([6]).moveTo(null) as Tensor;
    expect(() => new SGD([w]).step()).toThrowErrorMatchingInlineSnapshot(`[ShapeError: Optimizer: gradient f32[6] of a parameter f32[6,19]]`);
  });
});

describe("clipping", () => {
  const clips: [string, (p: Variable[]) => unknown][] = [
    ["by the global norm", (p) => clipGradNorm(p, 0.5)],
    ["by the norm of a layer", (p) => clipGradNormPerLayer(p, 0.5)],
    ["by value", (p) => clipGradValue(p, 0.3)],
    ["adaptively, row by row", (p) => clipGradAdaptive(p, { clipping: 0.1 })],
  ];
  it.each(clips)("%s is that of the whole gradient, and stays one of rows", (_, clip) => {
    const [sparse, dense] = [table(6), table(6)];
    sparse.grad = gradient([1, 4], 6, 3);
    dense.grad = sparse.grad instanceof RowGradient ? sparse.grad.dense().moveTo(null) : null;
    const [norm, expected] = [[clip([sparse])].flat(), [clip([dense])].flat()] as number[][];
    if (norm![0] !== undefined) expect(norm![0]).toBeCloseTo(expected![0]!, 6);
    expect(sparse.grad).toBeInstanceOf(RowGradient);
    const got = (sparse.grad as RowGradient).dense().dataSync();
    dense.grad!.dataSync().forEach((v, i) => expect(got[i]).toBeCloseTo(v, 6));
  });
  it.each(clips)("%s drops what is not finite by policy", (_, clip) => {
    const w = table(6);
    w.grad = new RowGradient(zeros([1, dim]).add(NaN), Int32Array.of(3), 6, null);
    expect(() => clip([w])).toThrow(/the gradient norm is NaN/);
    clipGradNorm([w], 1, { nonFinite: "skip" });
    expect(w.grad).toBeNull();
  });
});

describe("beside other things", () => {
  it("averages of weights take the rows that did not move too", () => {
    const w = table(4);
    const average = new WeightAverage([w], { kind: "swa" });
    average.update();
    w.grad = gradient([2], 4, 0);
    new SGD([w], { lr: 1 }).step();
    const [start, moved] = [table(4), rowOf(w, 2)];
    average.update();
    expect(rowOf(average.averages[0]!, 1)).toEqual(rowOf(start, 1));
    rowOf(average.averages[0]!, 2).forEach((v, i) => expect(v).toBeCloseTo((rowOf(start, 2)[i]! + moved[i]!) / 2, 6));
  });

  it("Nesterov refuses: looking ahead moved all rows", () => {
    const w = table(4);
    expect(() => new Nesterov([w]).step(() => (w.grad = gradient([1], 4, 0)))).toThrowErrorMatchingInlineSnapshot(`
      [GradError: Nesterov: a sparse gradient, but looking ahead moved all rows
        hint: SGD with nesterov: true, or an embedding without sparse]
    `);
  });

  it("L-BFGS takes them for what they stand for", () => {
    const path = (sparse: boolean): number[] => {
      const w = table(5, "f64");
      const optimizer: Optimizer<{ lr: number }> = new LBFGS([w], { maxIter: 6 });
      optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = embedding(tensor(Int32Array.of(0, 3, 3)) as Tensor, w as Tensor, { sparse }).square().sum();
        loss.backward();
        return loss;
      });
      return [...w.dataSync()];
    };
    expect(path(true)).toEqual(path(false));
  });
});
