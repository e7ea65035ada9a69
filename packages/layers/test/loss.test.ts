import { gradcheck, gradgradcheck } from "@nn/autograd";
import {
  bceLoss, bceWithLogits, cosineEmbeddingLoss, crossEntropy, halfMse, halfSse, hingeLoss, huberLoss, klDiv, maeLoss, mseLoss, multiMarginLoss, nllLoss,
  smoothL1Loss, tripletMarginLoss, type LossOptions,
} from "@nn/layers";
import * as losses from "../src/loss/index.ts";
import { getEngine, rand, randn, tensor, zeros, type Tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values as number[], { dtype: "f64" }) as Tensor;
const classes = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });
const normal = (seed: number, ...shape: number[]): Tensor => randn(shape, { dtype: "f64", seed }) as Tensor;
const inside = (seed: number, ...shape: number[]): Tensor => rand(shape, { dtype: "f64", seed }).mul(0.8).add(0.1) as Tensor;
const mask = (seed: number, ...shape: number[]): Tensor => rand(shape, { seed }).gt(0.4) as Tensor;

describe("worked examples", () => {
  it("three normalisations of the squared error differ by constant factors, their gradients too", () => {
    const [x, t] = [f64([1, 4, -2]), f64([0, 2, 1])]; // differences 1, 2, −3
    expect([mseLoss(x, t), halfMse(x, t), halfSse(x, t)].map((l) => l.item())).toEqual([14 / 3, 14 / 6, 7]);
    const slope = (loss: (a: Tensor, b: Tensor) => Tensor): number[] => {
      const leaf = f64([1, 4, -2]).requireGrad();
      loss(leaf, t).backward();
      return [...leaf.grad!.dataSync()].map((v) => Number(v.toFixed(12)));
    };
    expect(slope(halfSse)).toEqual([1, 2, -3]);
    expect(slope(halfMse)).toEqual([1, 2, -3].map((v) => Number((v / 3).toFixed(12))));
    expect(slope(mseLoss)).toEqual([2, 4, -6].map((v) => Number((v / 3).toFixed(12))));
    // (y − a)² = (a − y)²: the order changes neither loss nor gradient.
    expect(mseLoss(t, x).item()).toBe(mseLoss(x, t).item());
    expect(slope((a, b) => mseLoss(b, a))).toEqual(slope(mseLoss));
  });
  it("binary cross-entropy of logits (2, −1) for (1, 0) is .2200948493", () => {
    const [z, t] = [f64([2, -1]), f64([1, 0])];
    expect(bceWithLogits(z, t).item()).toBeCloseTo(0.2200948493, 10);
    expect(bceLoss(z.sigmoid(), t).item()).toBeCloseTo(0.2200948493, 10);
  });
  it("cross-entropy of (1, 2, 3) for class 2 is .4076059644; smoothed (2, 1, 0) for class 0 .5076059644", () => {
    expect(crossEntropy(f64([[1, 2, 3]]), classes(2)).item()).toBeCloseTo(0.4076059644, 10);
    expect(crossEntropy(f64([[2, 1, 0]]), classes(0), { labelSmoothing: 0.1 }).item()).toBeCloseTo(0.5076059644, 10);
    expect(nllLoss(f64([[2, 1, 0]]).logSoftmax(1), classes(0)).item()).toBeCloseTo(0.4076059644, 10);
  });
  it("at logits of 0 the slope is σ(0) − t, not that of a kink", () => {
    const z = f64([0, 0]).requireGrad();
    bceWithLogits(z, f64([1, 0]), { reduction: "sum" }).backward();
    expect(z.grad!.toArray()).toEqual([-0.5, 0.5]);
  });
});

/** Name, loss of the first inputs, inputs, shape of the unreduced loss. Constants are bound; inputs are away from kinks. */
type Case = [name: string, loss: (o: LossOptions, ...xs: Tensor[]) => Tensor, inputs: Tensor[], each: number[]];
const t5 = classes(0, 3, 2, 1, 3);
const signs = f64([1, -1, -1, 1, -1]);
const weight = inside(9, 4);
const smooth: Case[] = [
  ["mseLoss", (o, x, t) => mseLoss(x!, t!, o), [normal(1, 3, 5), normal(2, 3, 5)], [3, 5]],
  ["halfMse", (o, x, t) => halfMse(x!, t!, o), [normal(1, 7), normal(2, 7)], [7]],
  ["halfSse", (o, x, t) => halfSse(x!, t!, o), [normal(1, 7), normal(2, 7)], [7]],
  ["maeLoss", (o, x, t) => maeLoss(x!, t!, o), [normal(1, 3, 5), normal(2, 3, 5)], [3, 5]],
  ["huberLoss", (o, x, t) => huberLoss(x!, t!, { delta: 0.7, ...o }), [normal(1, 3, 5).mul(3), normal(2, 3, 5)], [3, 5]],
  ["smoothL1Loss", (o, x, t) => smoothL1Loss(x!, t!, { beta: 0.7, ...o }), [normal(1, 3, 5).mul(3), normal(2, 3, 5)], [3, 5]],
  ["bceLoss", (o, x, t) => bceLoss(x!, t!, o), [inside(1, 3, 5), inside(2, 3, 5)], [3, 5]],
  ["bceWithLogits", (o, x, t) => bceWithLogits(x!, t!, { posWeight: inside(7, 5), weight: inside(8, 3, 1), ...o }), [normal(1, 3, 5), inside(2, 3, 5)], [3, 5]],
  ["klDiv", (o, x, t) => klDiv(x!, t!, o), [normal(1, 3, 5).logSoftmax(1), inside(2, 3, 5)], [3, 5]],
  ["klDiv of logarithms", (o, x, t) => klDiv(x!, t!, { logTarget: true, ...o }), [normal(1, 3, 5).logSoftmax(1), normal(2, 3, 5).logSoftmax(1)], [3, 5]],
  ["hingeLoss", (o, x) => hingeLoss(x!, signs, o), [normal(1, 5)], [5]],
  ["squared hingeLoss", (o, x) => hingeLoss(x!, signs, { squared: true, ...o }), [normal(1, 5)], [5]],
  ["crossEntropy", (o, x) => crossEntropy(x!, t5, { weight, labelSmoothing: 0.1, ...o }), [normal(1, 5, 4)], [5]],
  ["crossEntropy, not smoothed", (o, x) => crossEntropy(x!, t5, o), [normal(1, 5, 4)], [5]],
  ["crossEntropy of probabilities", (o, x, t) => crossEntropy(x!, t!, { labelSmoothing: 0.1, ...o }), [normal(1, 5, 4), normal(2, 5, 4).softmax(1)], [5]],
  ["nllLoss", (o, x) => nllLoss(x!, t5, { weight, ...o }), [normal(1, 5, 4).logSoftmax(1)], [5]],
  ["multiMarginLoss", (o, x) => multiMarginLoss(x!, t5, { weight, ...o }), [normal(1, 5, 4)], [5]],
  ["squared multiMarginLoss", (o, x) => multiMarginLoss(x!, t5, { p: 2, ...o }), [normal(1, 5, 4)], [5]],
  ["cosineEmbeddingLoss", (o, a, b) => cosineEmbeddingLoss(a!, b!, signs, { margin: 0.1, ...o }), [normal(1, 5, 4), normal(2, 5, 4)], [5]],
  ["tripletMarginLoss", (o, a, p, n) => tripletMarginLoss(a!, p!, n!, o), [normal(1, 5, 4), normal(2, 5, 4), normal(3, 5, 4)], [5]],
  ["swapped tripletMarginLoss, p = 3", (o, a, p, n) => tripletMarginLoss(a!, p!, n!, { p: 3, swap: true, ...o }), [normal(1, 5, 4), normal(2, 5, 4), normal(3, 5, 4)], [5]],
];

it("every loss is in the table", () => {
  const exported = Object.keys(losses);
  expect(exported.filter((name) => !smooth.some(([title]) => title.includes(name)))).toEqual([]);
});

describe.each(smooth)("%s", (_, loss, inputs, each) => {
  const kept = mask(4, ...each);

  it("has right first and second gradients, reduced, not reduced and masked", () => {
    for (const options of [{}, { reduction: "none" }, { mask: kept }] as LossOptions[]) {
      gradcheck((...xs) => loss(options, ...xs), inputs);
      gradgradcheck((...xs) => loss(options, ...xs), inputs);
    }
  });

  it("a masked loss is the loss of what counts; NaN elsewhere reaches nothing", () => {
    const all = loss({ reduction: "none" }, ...inputs);
    const masked = loss({ reduction: "none", mask: kept }, ...inputs);
    const [every, some, on] = [all.dataSync(), masked.dataSync(), kept.dataSync()];
    some.forEach((v, i) => expect(v).toBe(on[i] ? every[i] : 0));
    const sum = loss({ reduction: "sum", mask: kept }, ...inputs).item();
    expect(sum).toBeCloseTo(Array.from(some).reduce((a, b) => a + b, 0), 12);

    // Poison what does not count: [N, K] inputs lose whole rows.
    const leaves = inputs.map((x) => (x.rank > kept.rank ? kept.unsqueeze(1) : kept).where(x, NaN).detach().requireGrad());
    const mean = loss({ mask: kept }, ...leaves);
    expect(mean.item()).toBeCloseTo(loss({ mask: kept }, ...inputs).item(), 12);
    mean.backward();
    for (const x of leaves) for (const g of x.grad!.dataSync()) expect(g).not.toBeNaN();
  });

  it("all masked is 0 with gradient 0, and a mask of ones changes nothing", () => {
    const leaves = inputs.map((x) => x.detach().requireGrad());
    const none = loss({ mask: kept.ne(kept) }, ...leaves);
    expect(none.item()).toBe(0);
    none.backward();
    for (const x of leaves) expect([...(x.grad ?? zeros([1])).dataSync()].every((g) => g === 0)).toBe(true);
    const ones = kept.eq(kept);
    for (const reduction of ["mean", "sum"] as const) expect(loss({ reduction, mask: ones }, ...inputs).item()).toBeCloseTo(loss({ reduction }, ...inputs).item(), 12);
  });
});

describe("options", () => {
  it("klDiv's batchmean counts rows, of a masked batch those that have something", () => {
    const [x, t] = [normal(1, 4, 3).logSoftmax(1), inside(2, 4, 3)];
    expect(klDiv(x, t, { reduction: "batchmean" }).item()).toBeCloseTo(klDiv(x, t, { reduction: "sum" }).item() / 4, 12);
    const kept = tensor([[true, true, true], [false, false, false], [true, false, true], [true, true, true]]) as Tensor;
    expect(klDiv(x, t, { reduction: "batchmean", mask: kept }).item()).toBeCloseTo(klDiv(x, t, { reduction: "sum", mask: kept }).item() / 3, 12);
  });
  it("a mask of one value per token covers its features", () => {
    const [x, t] = [normal(1, 2, 3, 4), normal(2, 2, 3, 4)];
    const tokens = mask(5, 2, 3);
    expect(mseLoss(x, t, { mask: tokens.unsqueeze(-1) }).item()).toBeCloseTo(mseLoss(x, t, { mask: tokens.unsqueeze(-1).expand([2, 3, 4]) }).item(), 15);
    expect(() => mseLoss(x, t, { mask: tokens })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: mseLoss: mask [2,3] does not fit a loss of [2,3,4]
        hint: one value per element of the loss; a last dimension of 1 broadcasts: mask.unsqueeze(-1)]
    `);
  });
  it("logits and differences of ±10⁴ stay finite, gradients too", () => {
    const huge = tensor([1e4, -1e4, 1e4, -1e4]);
    for (const target of [tensor([1, 0, 0, 1]), tensor([0.5, 0.5, 0.5, 0.5])]) {
      for (const loss of [bceWithLogits, mseLoss, maeLoss, huberLoss, smoothL1Loss, hingeLoss, halfMse] as ((x: Tensor, t: Tensor) => Tensor)[]) {
        const x = huge.mul(1).detach().requireGrad();
        const y = loss(x, target);
        y.backward();
        expect(Number.isFinite(y.item())).toBe(true);
        expect([...x.grad!.dataSync()].every(Number.isFinite)).toBe(true);
      }
    }
    const logits = tensor([[1e4, -1e4, 0]]).requireGrad();
    crossEntropy(logits, classes(1)).backward();
    expect(logits.grad!.toArray()).toEqual([[1, -1, 0]]);
  });
  it("probabilities of exactly 0 and 1 cost at most 100 and never a gradient that is no number", () => {
    const p = tensor([0, 1, 0, 1]).requireGrad();
    const each = bceLoss(p, tensor([1, 0, 0, 1]), { reduction: "none" });
    expect([...each.dataSync()].map(Math.abs)).toEqual([100, 100, 0, 0]);
    each.sum().backward();
    expect([...p.grad!.dataSync()].every(Number.isFinite)).toBe(true);
  });
  it("wrong arguments are refused with the way out", () => {
    const x: Tensor = zeros([2, 3]);
    expect(() => mseLoss(x, zeros([2]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: mseLoss: prediction [2,3] and target [2] differ
        hint: broadcasting here is almost always a mistake; reshape one of them]
    `);
    expect(() => mseLoss(x, x, { reduction: "average" as "mean" })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: mseLoss: reduction is "average"
        hint: one of "mean", "sum", "none"]
    `);
    expect(() => huberLoss(x, x, { delta: 0 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: huberLoss: delta is 0
        hint: a positive number]
    `);
    expect(() => multiMarginLoss(x, classes(1))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: multiMarginLoss: takes scores [N,K] and class indices [N], got [2,3] and [1]]`);
    expect(() => multiMarginLoss(x, classes(1, 2), { p: 3 as 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: multiMarginLoss: p is 3
        hint: 1 or 2]
    `);
    expect(() => tripletMarginLoss(x, x, zeros([3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: tripletMarginLoss: inputs must be [N,D] of one shape, got [2,3] and [2,3] and [3]
        hint: one row alone? unsqueeze(0)]
    `);
    expect(() => cosineEmbeddingLoss(x, x, zeros([3]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: cosineEmbeddingLoss: target must be [2], 1 for alike and −1 for not, got [3]]`);
  });
  it("leaves nothing behind in a loop", () => {
    const [x, t, on] = [normal(1, 5, 4), t5, mask(1, 5)];
    const used = Array.from({ length: 6 }, () => {
      for (const l of [crossEntropy(x, t, { mask: on }), multiMarginLoss(x, t, { mask: on }), mseLoss(x, x, { mask: on.unsqueeze(1) })]) l.dispose();
      return getEngine().memory.inUse;
    });
    expect(new Set(used.slice(1)).size).toBe(1);
  });
});
