import { expect, it } from "vitest";
import { ones, rand, trace, withReference, type Launch } from "../src/index.ts";

it("a trace names the op of each launch and keeps the kernel's arguments", () => {
  const [a, b] = [ones([2, 3]), ones([3, 4])];
  const { launches, kernels } = trace(() => a.matmul(b).relu());
  expect(launches.map(({ op }) => op)).toEqual(["matmul", "relu"]);
  expect(kernels[0]).toMatch(/^gemm_/);
  expect(launches[0]!.call).toMatchObject({ name: "gemm", args: { m: 2, k: 3, n: 4 } });
});

it("creation is named too, and a reference has no kernel", () => {
  expect(trace(() => rand([4])).launches.map(({ op, call }) => [op, call?.name])).toEqual([["rand", "random"]]);
  const x = ones([2]);
  expect(trace(() => withReference(() => x.exp())).launches).toMatchObject([{ op: "exp", kernel: "reference:exp" }]);
});

it("`seen` hears of launches as they happen, and a trace around a trace hears of all", () => {
  const seen: Launch[] = [];
  const x = ones([2]);
  const outer = trace(() => {
    x.exp();
    trace(() => x.tanh(), (one) => seen.push(one));
    x.neg();
  });
  expect(seen.map(({ op }) => op)).toEqual(["tanh"]);
  expect(outer.launches.map(({ op }) => op)).toEqual(["exp", "tanh", "neg"]);
});
