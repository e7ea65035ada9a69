/** Embeddings whose gradient holds the rows of the step: the same numbers as the dense gradient, wherever it goes. */
import { checkpoint, gradients } from "@nn/autograd";
import { RowGradient, embedding, manualSeed, randn, tensor, trace, variable, type Tensor, type Variable } from "@nn/tensor";
import { Embedding, EmbeddingBag } from "@nn/layers";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));
const ids = (values: number[] | number[][] | number): Tensor => tensor(values as number[], { dtype: "i32" }) as Tensor;
const table = (dtype: "f32" | "f64" = "f32"): Variable => variable(randn([7, 3]).cast(dtype)).requireGrad() as Variable;

/** The gradients of both kinds; `f` computes a loss by lookups. */
function both(f: (look: (at: Tensor) => Tensor, weight: Variable) => Tensor, options: { paddingIdx?: number } = {}, dtype: "f32" | "f64" = "f32"): { sparse: Tensor; dense: Tensor } {
  const weight = table(dtype);
  const [sparse, dense] = [true, false].map((kind) => {
    weight.grad = null;
    f((at) => embedding(at, weight as Tensor, { ...options, sparse: kind }), weight).backward();
    return weight.grad as unknown as Tensor;
  });
  return { sparse: sparse!, dense: dense! };
}
const rowsOf = (g: Tensor): RowGradient => {
  expect(g).toBeInstanceOf(RowGradient);
  return g as RowGradient;
};
const scale = (n: number): Tensor => tensor(Float32Array.from({ length: n * 3 }, (_, i) => i - 4), { shape: [n, 3] }) as Tensor;

describe("a sparse gradient", () => {
  it.each(["f32", "f64"] as const)("has a row for each distinct id, with the sums of the dense one, %s", (dtype) => {
    const { sparse, dense } = both((look) => look(ids([5, 1, 5, 3])).mul(scale(4)).sum(), {}, dtype);
    expect([...rowsOf(sparse).rows]).toEqual([1, 3, 5]);
    expect(sparse.shape).toEqual([3, 3]);
    expect(sparse.dtype).toBe(dtype);
    expect(rowsOf(sparse).dense().toArray()).toEqual(dense.toArray());
  });

  it("is 0 at the padding row", () => {
    const { sparse, dense } = both((look) => look(ids([[2, 1], [2, 0]])).sum(), { paddingIdx: 2 });
    expect([...rowsOf(sparse).rows]).toEqual([0, 1, 2]);
    expect(rowsOf(sparse).dense().toArray()).toEqual(dense.toArray());
  });

  it.each([
    ["one id", () => ids(4), [4]],
    ["no id", () => ids([]), []],
  ] as const)("of %s", (_, at, rows) => {
    const { sparse, dense } = both((look) => look(at()).sum());
    expect([...rowsOf(sparse).rows]).toEqual(rows);
    expect(rowsOf(sparse).dense().toArray()).toEqual(dense.toArray());
  });

  it("adds up hundreds of thousands of rows", () => {
    const n = 300_000;
    const weight = variable(randn([n, 1])).requireGrad() as Variable;
    const all = tensor(Int32Array.from({ length: n }, (_, i) => i), { shape: [n] }) as Tensor;
    embedding(all, weight as Tensor, { sparse: true }).sum().add(embedding(all, weight as Tensor, { sparse: true }).sum()).backward();
    expect(rowsOf(weight.grad!).rows.length).toBe(n);
    expect(weight.grad!.sum().item()).toBe(2 * n);
  });

  it("adds up over lookups of one graph, and over graphs", () => {
    const weight = table();
    const once = () => embedding(ids([1, 2]), weight as Tensor, { sparse: true }).square().sum().add(embedding(ids([2, 6]), weight as Tensor, { sparse: true }).sum()).backward();
    once();
    const first = rowsOf(weight.grad!);
    expect([...first.rows]).toEqual([1, 2, 6]);
    const whole = first.dense().toArray() as number[][];
    embedding(ids([4]), weight as Tensor, { sparse: true }).sum().backward();
    once();
    const sum = rowsOf(weight.grad!);
    expect([...sum.rows]).toEqual([1, 2, 4, 6]);
    expect(sum.dense().toArray()).toEqual(whole.map((row, r) => row.map((v) => (r === 4 ? 1 : 2 * v))));
  });

  it("becomes dense where the table is used as a whole, or was computed", () => {
    for (const f of [
      (look: (at: Tensor) => Tensor, w: Variable) => look(ids([1, 1])).matmul(w.t()).sum(), // tied weights
      (look: (at: Tensor) => Tensor, w: Variable) => w.square().sum().add(look(ids([1])).sum()),
    ]) {
      const { sparse, dense } = both(f);
      expect(sparse).not.toBeInstanceOf(RowGradient);
      expect(sparse.toArray()).toEqual(dense.toArray());
    }
    const weight = table();
    embedding(ids([3]), weight.mul(2) as Tensor, { sparse: true }).sum().backward();
    expect(weight.grad!.toArray()).toEqual([0, 0, 0, 2, 0, 0, 0].map((v) => [v, v, v]));
    // Whole first, rows later.
    weight.grad = null;
    weight.sum().backward();
    embedding(ids([3]), weight as Tensor, { sparse: true }).sum().backward();
    expect(weight.grad!.toArray()).toEqual([1, 1, 1, 2, 1, 1, 1].map((v) => [v, v, v]));
  });

  it("is dense in what gradients() returns and where it is differentiated again", () => {
    const weight = table("f64");
    const loss = () => embedding(ids([2, 2, 5]), weight as Tensor, { sparse: true }).pow(3).sum();
    const [g] = gradients(loss(), [weight]);
    expect(g!.shape).toEqual([7, 3]);
    const [recorded] = gradients(loss(), [weight], { createGraph: true });
    expect(recorded!.toArray()).toEqual(g!.toArray());
    const [second] = gradients(recorded!.sum(), [weight]);
    weight.dataSync().forEach((w, i) => {
      const times = [0, 0, 2, 0, 0, 1, 0][Math.floor(i / 3)]!;
      expect(second!.dataSync()[i]).toBeCloseTo(6 * w * times, 12);
    });
  });

  it("passes through a checkpoint", () => {
    const weight = table();
    checkpoint((w) => embedding(ids([6, 0]), w, { sparse: true }).mul(scale(2)), weight as Tensor).sum().backward();
    const captured = table();
    checkpoint(() => embedding(ids([6, 0]), captured as Tensor, { sparse: true }).mul(scale(2))).sum().backward();
    for (const { grad } of [weight, captured]) {
      expect([...rowsOf(grad!).rows]).toEqual([0, 6]);
      expect(grad!.toArray()).toEqual([[-1, 0, 1], [-4, -3, -2]]);
    }
  });

  it("costs what the rows cost: no kernel sees the table's size", () => {
    const weight = variable(randn([5000, 8])).requireGrad() as Variable;
    const { launches } = trace(() => embedding(ids([4999, 3, 3]), weight as Tensor, { sparse: true }).sum().backward());
    const scatter = launches.flatMap(({ call }) => (call?.name === "scatterAddRows" ? [call.args] : []));
    expect(scatter.map(({ size, rows }) => [size, rows])).toEqual([[2, 3]]);
    expect(weight.grad!.size).toBe(16);
  });

  it("refuses rows that are not those of its values", () => {
    const values = randn([2, 3]);
    expect(() => new RowGradient(values, Int32Array.of(1, 2, 3), 7)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: RowGradient: f32[2,3] for 3 rows of 7
        hint: one row of values for each of the rows, which rise]
    `);
    for (const rows of [[3, 3], [4, 2], [6, 7], [-1, 0]]) expect(() => new RowGradient(values, Int32Array.from(rows), 7)).toThrow(/one row of values/);
  });
});

describe("layers", () => {
  it("take it as an option", () => {
    const layer = new Embedding(6, 2, { sparse: true, paddingIdx: 0 });
    layer.call(ids([[3, 0], [3, 5]])).sum().backward();
    expect([...rowsOf(layer.weight.grad as Tensor).rows]).toEqual([0, 3, 5]);
    expect(layer.weight.grad!.toArray()).toEqual([[0, 0], [2, 2], [1, 1]]);
    expect(String(layer)).toBe("Embedding(6, 2, paddingIdx=0, sparse)");
  });

  it.each(["sum", "mean"] as const)("bags of %s", (mode) => {
    const [sparse, dense] = [true, false].map((kind) => {
      manualSeed(3);
      const layer = new EmbeddingBag(6, 2, { mode, sparse: kind, paddingIdx: 1 });
      layer.call(ids([4, 1, 2, 4, 0]), [0, 3]).mul(tensor([[1, 2], [3, 4]])).sum().backward();
      return layer.weight.grad as Tensor;
    });
    expect([...rowsOf(sparse!).rows]).toEqual([0, 2, 4]);
    expect(rowsOf(sparse!).dense().toArray()).toEqual(dense!.toArray());
  });

  it("refuse the maximum of bags, as PyTorch does", () => {
    expect(() => new EmbeddingBag(6, 2, { mode: "max", sparse: true }).call(ids([[0, 1]]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: embeddingBag: a sparse gradient of the maximum
        hint: sparse goes with mode "sum" or "mean"]
    `);
  });
});
