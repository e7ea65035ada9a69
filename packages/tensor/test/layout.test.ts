import { describe, expect, test } from "vitest";
import {
  broadcastShapes, channelsLast, collapse, contiguous, denseStrides, expandLayout, isChannelsLast, isContiguous, isDense, memoryOrder, permuteLayout, reshapeLayout, rowMajor, sliceLayout, wrapDim,
} from "../src/layout.ts";

describe("strides", () => {
  test("row-major", () => {
    expect(rowMajor([2, 3, 4])).toEqual([12, 4, 1]);
    expect(rowMajor([])).toEqual([]);
    expect(denseStrides([2, 3, 4], [2, 0, 1])).toEqual([3, 1, 6]);
  });
  test("what is contiguous, dense, channels-last", () => {
    const x = contiguous([2, 3, 4]);
    expect(isContiguous(x)).toBe(true);
    expect(isContiguous(permuteLayout(x, [0, 2, 1]))).toBe(false);
    expect(isDense(permuteLayout(x, [0, 2, 1]))).toBe(true);
    expect(isDense(sliceLayout(x, 2, 0, 2, 2))).toBe(false);
    expect(isDense(sliceLayout(x, 0, 1, 1, 1))).toBe(true);
    expect(isContiguous({ shape: [2, 1, 3], strides: [3, 99, 1], offset: 0 })).toBe(true); // a size of 1 may have any stride
    expect(isChannelsLast(channelsLast([2, 3, 4, 5]))).toBe(true);
    expect(isChannelsLast(contiguous([2, 3, 4, 5]))).toBe(false);
    expect(channelsLast([2, 3, 4, 5]).strides).toEqual([60, 1, 15, 3]);
    expect(memoryOrder(channelsLast([2, 3, 4, 5]))).toEqual([0, 2, 3, 1]);
  });
});

describe("views", () => {
  test("slice", () => {
    expect(sliceLayout(contiguous([4, 3]), 0, 3, -1, 4)).toEqual({ shape: [4, 3], strides: [-3, 1], offset: 9 });
    expect(sliceLayout(contiguous([4, 3]), 1, 1, 1, 2)).toEqual({ shape: [4, 2], strides: [3, 1], offset: 1 });
  });
  test("expand", () => {
    expect(expandLayout(contiguous([3, 1]), [2, 3, 4])).toEqual({ shape: [2, 3, 4], strides: [0, 1, 0], offset: 0 });
  });
  test("reshape keeps memory where it can", () => {
    expect(reshapeLayout(contiguous([2, 6]), [3, 4])!.strides).toEqual([4, 1]);
    expect(reshapeLayout(permuteLayout(contiguous([2, 3]), [1, 0]), [6])).toBeNull();
    // Splitting one dimension of a transposed matrix is still an even progression.
    expect(reshapeLayout(permuteLayout(contiguous([4, 3]), [1, 0]), [3, 2, 2])!.strides).toEqual([1, 6, 3]);
    expect(reshapeLayout(channelsLast([2, 3, 4, 5]), [2, 3, 20])!.strides).toEqual([60, 1, 3]);
    expect(reshapeLayout(channelsLast([2, 3, 4, 5]), [2, 60])).toBeNull();
    expect(reshapeLayout(contiguous([]), [1, 1])!.shape).toEqual([1, 1]);
    expect(reshapeLayout(contiguous([0, 3]), [5, 0])!.shape).toEqual([5, 0]);
  });
});

test("broadcasting aligns trailing dimensions", () => {
  expect(broadcastShapes([2, 1, 4], [3, 1])).toEqual([2, 3, 4]);
  expect(broadcastShapes([], [2])).toEqual([2]);
  expect(broadcastShapes([0, 1], [1, 3])).toEqual([0, 3]);
  expect(broadcastShapes([2], [3])).toBeNull();
});

test("dimensions count from the end if negative", () => {
  expect(wrapDim(-1, 3)).toBe(2);
  expect(wrapDim(3, 3)).toBeNull();
  expect(wrapDim(-4, 3)).toBeNull();
  expect(wrapDim(0.5, 3)).toBeNull();
});

test("collapse merges what every operand reads evenly", () => {
  expect(collapse([2, 3, 4], [[12, 4, 1], [12, 4, 1]])).toEqual({ shape: [24], strides: [[1], [1]] });
  expect(collapse([2, 3, 4], [[12, 4, 1], [0, 4, 1]])).toEqual({ shape: [2, 12], strides: [[12, 1], [0, 1]] });
  expect(collapse([1, 1], [[7, 3]])).toEqual({ shape: [1], strides: [[1]] });
});
