/** What a newcomer gets wrong first, in plain JavaScript or behind a cast. */
import { Linear, Sequential } from "@nn/layers";
import { createEngine, ones, ops, withEngine, type Tensor } from "@nn/tensor";
import { expect, it } from "vitest";

it("something else instead of a tensor", () => {
  const rows = [[0, 1]] as unknown as Tensor;
  expect(() => ones([2]).add(rows)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: add: needs tensors, got Array
      hint: tensor([[1, 2], [3, 4]]) makes one]
  `);
  expect(() => new Sequential(new Linear(2, 3)).call(rows)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: linear '0': needs tensors, got Array
      hint: tensor([[1, 2], [3, 4]]) makes one]
  `);
  expect(() => ops.matmul({ a: ones([2, 2]), b: null as unknown as Tensor })).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: matmul: needs tensors, got null
      hint: tensor([[1, 2], [3, 4]]) makes one]
  `);
  expect(() => ops.exp({ x: Float32Array.of(1) as unknown as Tensor })).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: exp: needs tensors, got Float32Array
      hint: tensor([[1, 2], [3, 4]]) makes one]
  `);
});

it("tensors of two engines", () => {
  const here = ones([2]);
  const there = withEngine(createEngine({ kind: "wasm-simd", threads: 1 }), () => ones([2]));
  expect(() => here.add(there)).toThrowError(/^add: inputs live on cpu\/.* and cpu\/wasm \(simd128\)\n {2}hint: make all tensors under one engine/);
});
