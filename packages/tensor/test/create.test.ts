import { describe, expect, expectTypeOf, test } from "vitest";
import {
  Random, arange, bernoulli, eye, full, fullLike, getEngine, linspace, manualSeed, ones, onesLike, rand, randint, randn, randperm, scope, tensor, trace, zeros, zerosLike, type Nested, type Tensor,
} from "../src/index.ts";
import { scalar } from "../src/scalar.ts";

const kernel = (name: string): string => `${name}_${getEngine().isa}`;

describe("tensor", () => {
  test("from nested arrays, numbers and typed arrays", () => {
    expect(tensor([[1, 2], [3, 4]]).shape).toEqual([2, 2]);
    expect(tensor([[1, 2], [3, 4]]).toArray()).toEqual([[1, 2], [3, 4]]);
    expect(tensor(5).shape).toEqual([]);
    expect(tensor(5).item()).toBe(5);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }).toArray()).toEqual([[1, 2], [3, 4]]);
    expect(tensor([1, 2, 3, 4], { shape: [4, 1] }).shape).toEqual([4, 1]);
  });
  test("types", () => {
    expect(tensor([1, 2]).dtype).toBe("f32");
    expect(tensor([true, false]).dtype).toBe("bool");
    expect(tensor([true, false]).toArray()).toEqual([true, false]);
    expect(tensor([true, 2]).dtype).toBe("f32");
    expect([Float32Array, Float64Array, Int32Array, Uint8Array].map((A) => tensor(new A(1)).dtype)).toEqual(["f32", "f64", "i32", "u8"]);
    expect(tensor([1.7, -1.7, 300], { dtype: "i32" }).toArray()).toEqual([1, -1, 300]);
    expect(tensor([300], { dtype: "u8" }).toArray()).toEqual([44]);
    expect(tensor([0.5, 0], { dtype: "bool" }).toArray()).toEqual([true, false]);
  });
  test("literal shapes are in the type", () => {
    expectTypeOf(tensor([[1, 2, 3], [4, 5, 6]])).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(tensor(1)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(tensor([1] as number[])).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(tensor([[1]] as number[][])).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(tensor([1] as Nested)).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros([2, 3])).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(zeros([2, 3] as number[])).toEqualTypeOf<Tensor>();
    expectTypeOf(eye(3)).toEqualTypeOf<Tensor<[3, 3]>>();
    expectTypeOf(linspace(0, 1, 5)).toEqualTypeOf<Tensor<[5]>>();
  });
  test("the data is copied", () => {
    const data = Float32Array.of(1, 2);
    const t = tensor(data);
    data[0] = 9;
    expect(t.toArray()).toEqual([1, 2]);
  });
});

test("constants", () => {
  const { result, kernels } = trace(() => zeros([2, 2]));
  expect(result.toArray()).toEqual([[0, 0], [0, 0]]);
  expect(kernels).toEqual([kernel("fill")]);
  expect(ones([2], { dtype: "i32" }).toArray()).toEqual([1, 1]);
  expect(full([3], -2.5).toArray()).toEqual([-2.5, -2.5, -2.5]);
  expect(full([2], 0.1, { dtype: "f64" }).toArray()).toEqual([0.1, 0.1]);
  expect(full([2], 3, { dtype: "bool" }).toArray()).toEqual([true, true]);
  expect(full([5], 300, { dtype: "u8" }).toArray()).toEqual([44, 44, 44, 44, 44]);
  expect(zeros([0, 4]).shape).toEqual([0, 4]);
  const like = tensor(Int32Array.of(1, 2, 3));
  expect(zerosLike(like)).toMatchObject({ shape: [3], dtype: "i32" });
  expect(onesLike(like, { dtype: "f32" }).toArray()).toEqual([1, 1, 1]);
  expect(fullLike(like, 7).toArray()).toEqual([7, 7, 7]);
});

test("ranges", () => {
  expect(arange(4).toArray()).toEqual([0, 1, 2, 3]);
  expect(arange(4).dtype).toBe("f32");
  expect(arange(1, 3, { dtype: "i32" })).toMatchObject({ dtype: "i32", shape: [2] });
  expect(arange(3, 0, -1).toArray()).toEqual([3, 2, 1]);
  expect(arange(0, 1, 0.25, { dtype: "f64" }).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
  expect(arange(0).shape).toEqual([0]);
  expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(linspace(3, 9, 1).toArray()).toEqual([3]);
  expect(linspace(0, 0.7, 8, { dtype: "f64" }).dataSync().at(-1)).toBe(0.7);
  expect(eye(2, 3).toArray()).toEqual([[1, 0, 0], [0, 1, 0]]);
});

describe("random numbers", () => {
  test("are a function of seed and stream", () => {
    const { result, kernels } = trace(() => rand([1000], { seed: 3, stream: 5 }));
    expect(kernels).toEqual([kernel("random")]);
    const numbers = new Random(3, 5);
    expect(Array.from(result.dataSync())).toEqual(Array.from({ length: 1000 }, (_, i) => numbers.uniform(i)));
    expect(rand([4], { seed: 3 }).toArray()).not.toEqual(rand([4], { seed: 3, stream: 1 }).toArray());
    expect(rand([3], { seed: 2 ** 40 + 1 }).toArray()).toEqual([0, 1, 2].map((i) => new Random(2 ** 40 + 1).uniform(i)));
  });
  test("normal", () => {
    const t = randn([101], { seed: 1 });
    const numbers = new Random(1);
    t.dataSync().forEach((v, i) => expect(v).toBeCloseTo(numbers.normal(i), 5));
    expect(randn([2], { seed: 1, dtype: "f64" }).dtype).toBe("f64");
  });
  test("follow manualSeed if they name no seed", () => {
    manualSeed(7);
    const first = [rand([3]).toArray(), randn([3]).toArray()];
    expect(rand([3]).toArray()).not.toEqual(first[0]);
    manualSeed(7);
    expect([rand([3]).toArray(), randn([3]).toArray()]).toEqual(first);
  });
  test("integers, permutations, coin flips", () => {
    const dice = randint(1, 7, [6000], { seed: 1 });
    const counts = new Array<number>(8).fill(0);
    for (const v of dice.dataSync()) counts[v]!++;
    expect(counts[0]! + counts[7]!).toBe(0);
    for (const n of counts.slice(1, 7)) expect(Math.abs(n - 1000)).toBeLessThan(120); // four standard deviations
    expect(dice.dtype).toBe("i32");
    expect(Array.from(randperm(50, { seed: 1 }).dataSync()).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    const coins = bernoulli([10000], 0.3, { seed: 2 });
    expect(coins.mean().item()).toBeCloseTo(0.3, 1);
    expect(new Set(coins.dataSync())).toEqual(new Set([0, 1]));
    expect(bernoulli([5], 0, { seed: 1 }).toArray()).toEqual([0, 0, 0, 0, 0]);
    expect(bernoulli([5], 1, { seed: 1, dtype: "bool" }).toArray()).toEqual([true, true, true, true, true]);
  });
});

test("scalars are kept, also beyond a scope, and take the type of what they meet", () => {
  const x = tensor([1, 2]);
  expect(scalar(0.25, x)).toBe(scalar(0.25, x));
  expect(scope(() => [scalar(12345.5, x), 0] as const)[0].item()).toBe(12345.5);
  expect(scalar(12345.5, x).item()).toBe(12345.5);
  expect(Object.is(scalar(-0, x).item(), -0) && Object.is(scalar(0, x).item(), 0)).toBe(true);
  expect(scalar(2, x.cast("i32")).dtype).toBe("i32");
  expect(scalar(2.5, x.cast("i32")).dtype).toBe("f32");
  const before = getEngine().memory.inUse;
  for (let i = 0; i < 600; i++) {
    scalar(i + 0.125, x);
    scalar(-1, x); // in use all the time: stays
  }
  expect(getEngine().memory.inUse - before).toBeLessThanOrEqual(64 * 64);
  expect(scalar(-1, x)).toBe(scalar(-1, x));
});

test("errors teach", () => {
  expect(() => tensor([[1, 2], [3]])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: tensor: ragged nested array: data[1] is of length 1, the first one at that depth has length 2
      hint: pad the rows to one length]
  `);
  expect(() => tensor([[[1], [2]], [[3], [4, 5]]])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: tensor: ragged nested array: data[1][1] is of length 2, the first one at that depth has length 1
      hint: pad the rows to one length]
  `);
  expect(() => tensor([[1], 2])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: tensor: ragged nested array: data[1] is 2, the first one at that depth has length 1
      hint: pad the rows to one length]
  `);
  expect(() => tensor([1, [2]])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: tensor: data[1] should be a number, got an array of 1
      hint: all items of a nested array have the same depth]
  `);
  expect(() => tensor(["a"] as unknown as number[])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: tensor: data[0] should be a number, got a
      hint: all items of a nested array have the same depth]
  `);
  expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: tensor: 3 values do not fill [2,2], which has 4]`);
  expect(() => zeros([2, -1])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: zeros: [2,-1] is not a shape
      hint: a shape is an array of whole numbers of at least 0, e.g. [2, 3]]
  `);
  expect(() => arange(0, 4, -1)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: arange: 0 to 4 in steps of -1 does not end
      hint: the step must lead from start to end]
  `);
  expect(() => rand([2], { dtype: "i32" })).toThrowErrorMatchingInlineSnapshot(`
    [DTypeError: rand: makes fractions, not i32
      hint: use randint(low, high, shape)]
  `);
  expect(() => randint(3, 3, [1])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: randint: no whole number lies in 3 … 3 (without 3)]`);
  expect(() => bernoulli([1], 1.5)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: bernoulli: p = 1.5 is not a probability]`);
});
