import { embedding, embeddingBag, endStep, manualSeed, noGrad, randint, randn, tensor, trace, zeros, type Tensor } from "@nn/tensor";
import { Embedding, init } from "@nn/layers";
import { Adam } from "@nn/optim";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));
const ids = (values: number[][]): Tensor => tensor(values, { dtype: "i32" }) as Tensor;

describe("Embedding", () => {
  it("looks rows up for ids of any shape", () => {
    const layer = new Embedding(4, 2, { init: () => tensor([[0, 1], [2, 3], [4, 5], [6, 7]]) as Tensor });
    expect(layer.call(ids([[3, 0], [1, 1]])).toArray()).toEqual([[[6, 7], [0, 1]], [[2, 3], [2, 3]]]);
    expect(layer.call(tensor(2, { dtype: "i32" }) as Tensor).toArray()).toEqual([4, 5]);
    expect(layer.call(zeros([0, 3], { dtype: "i32" }) as Tensor).shape).toEqual([0, 3, 2]);
    expect([...layer.stateDict().keys()]).toEqual(["weight"]);
    expect(String(layer)).toBe("Embedding(4, 2)");
  });

  it("starts from N(0, 1) with a padding row of zeros that no step moves", () => {
    const layer = new Embedding(500, 40, { paddingIdx: -500 });
    const optimizer = new Adam(layer.parameters(), { lr: 0.1 });
    const before = layer.weight.dataSync();
    expect([...before.subarray(0, 40)]).toEqual(new Array(40).fill(0));
    const rest = Float64Array.from(before.subarray(40));
    expect(Math.abs(rest.reduce((a, b) => a + b, 0) / rest.length)).toBeLessThan(0.03);
    expect(rest.reduce((a, b) => a + b * b, 0) / rest.length).toBeCloseTo(1, 1);
    layer.call(ids([[0, 3, 0], [7, 0, 3]])).sum().backward();
    const gradient = layer.weight.grad!.toArray() as number[][];
    expect([gradient[0]![0], gradient[3]![0], gradient[7]![39], gradient[1]![0]]).toEqual([0, 2, 1, 0]);
    optimizer.step();
    const after = layer.weight.dataSync();
    expect([...after.subarray(0, 80)]).toEqual([...before.subarray(0, 80)]); // row 0 is padding, row 1 was not met
    expect(after[3 * 40]).not.toBe(before[3 * 40]);
  });

  it("names an id that is no row", () => {
    const layer = new Embedding(4, 2);
    expect(() => layer.call(ids([[0, 4]]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: indexSelect: index 4 at [0,1] is out of range for dimension 0 of size 4
        hint: the largest one is 3]
    `);
    expect(() => new Embedding(4, 2, { paddingIdx: 4 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Embedding: paddingIdx 4 is none of the 4 rows]`);
  });

  it("scales long rows down when they are looked up, and only those", () => {
    const layer = new Embedding(3, 2, { maxNorm: 1, init: () => tensor([[3, 4], [0.3, 0.4], [30, 40]]) as Tensor });
    layer.call(ids([[0, 1, 0]]));
    const rows = layer.weight.toArray() as number[][];
    expect(rows[0]![0]).toBeCloseTo(0.6, 6);
    expect(rows[0]![1]).toBeCloseTo(0.8, 6);
    expect(rows[1]).toEqual([Math.fround(0.3), Math.fround(0.4)]);
    expect(rows[2]).toEqual([30, 40]);
  });

  it("takes given vectors over, frozen unless told otherwise", () => {
    const vectors = tensor([[1, 2], [3, 4]]) as Tensor;
    const frozen = Embedding.fromPretrained(vectors, { paddingIdx: 0 });
    expect(frozen.weight.toArray()).toEqual([[1, 2], [3, 4]]);
    expect(frozen.parameters()).toEqual([]);
    expect([...frozen.stateDict().keys()]).toEqual(["weight"]);
    expect(frozen.call(ids([[1]])).requiresGrad).toBe(false);
    const trained = Embedding.fromPretrained(vectors, { freeze: false });
    expect(trained.parameters().length).toBe(1);
    expect(vectors.toArray()).toEqual([[1, 2], [3, 4]]);
  });

  it("leaves a dense gradient of a large table by one kernel", () => {
    const layer = new Embedding(20000, 30, { init: init.zero });
    const { kernels } = trace(() => {
      layer.call(randint(0, 20000, [50, 60], { seed: 3 }) as Tensor).sum().backward();
    });
    expect(kernels.filter((k) => k.startsWith("scatterAddRows")).length).toBe(1);
    expect(kernels.some((k) => k.startsWith("reference"))).toBe(false);
    expect((layer.weight.grad!.sum() as Tensor).item()).toBe(50 * 60 * 30);
    endStep();
  });
});

describe("embeddingBag", () => {
  it("is the sum, mean or maximum of embeddings", () => {
    const weight = tensor([[1, -1], [2, -2], [4, -4]]) as Tensor;
    const bags = ids([[0, 2], [1, 1]]);
    const rows = embedding(bags, weight);
    expect(embeddingBag(bags, weight, { mode: "sum" }).toArray()).toEqual(rows.sum(1).toArray());
    expect(embeddingBag(bags, weight).toArray()).toEqual(rows.mean(1).toArray());
    expect(embeddingBag(bags, weight, { mode: "max" }).toArray()).toEqual(rows.max(1).toArray());
  });

  it("gives 0 for empty bags, and all of them empty too", () => {
    const weight = tensor([[1, -1], [2, -2]]) as Tensor;
    const flat = tensor([1, 0], { dtype: "i32" }) as Tensor;
    for (const mode of ["sum", "mean", "max"] as const) {
      expect(noGrad(() => embeddingBag(flat, weight, { mode, offsets: [0, 0, 2] })).toArray()[0 as never]).toEqual([0, 0]);
      expect(embeddingBag(ids([[1, 1]]), weight, { mode, paddingIdx: 1 }).toArray()).toEqual([[0, 0]]);
    }
  });

  it.each(["sum", "mean", "max"] as const)("%s of a padded batch: each bag is as it would be alone, with its gradient; more padding changes nothing (f64)", (mode) => {
    const weight = randn([7, 3], { seed: 1, dtype: "f64" }) as Tensor;
    const bags = [[3, 1, 5], [2], [6, 6, 1, 4]];
    const dy = randn([3, 3], { seed: 2, dtype: "f64" }) as Tensor;
    const run = (ids: number[][], gradient: Tensor): [Tensor, Tensor] => {
      const table = weight.detach().requireGrad();
      const y = embeddingBag(tensor(ids, { dtype: "i32" }) as Tensor, table, { mode, paddingIdx: 0 });
      y.backward({ gradient });
      return [y, table.grad!];
    };
    const alone = bags.map((bag, b) => run([bag], dy.slice(0, b, b + 1)));
    for (const longest of [4, 9]) {
      const [y, g] = run(bags.map((bag) => [...bag, ...new Array<number>(longest - bag.length).fill(0)]), dy);
      alone.forEach(([single], b) => expect(y.at(b).sub(single.at(0)).abs().max().item()).toBeLessThanOrEqual(1e-12));
      expect(g.sub(alone.map(([, d]) => d).reduce((p, q) => p.add(q))).abs().max().item()).toBeLessThanOrEqual(1e-12);
    }
  });

  it("refuses offsets that do not rise from 0", () => {
    const weight = tensor([[1, -1], [2, -2]]) as Tensor;
    const flat = tensor([1, 0], { dtype: "i32" }) as Tensor;
    for (const offsets of [[1], [0, 2, 1], [0, 3]]) expect(() => embeddingBag(flat, weight, { offsets })).toThrow(/offset \d is \d/);
    expect(() => embeddingBag(flat, weight)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: embeddingBag: ids i32[2] need offsets
        hint: where each bag begins, the first at 0]
    `);
  });
});
