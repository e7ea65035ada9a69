/** Initialisers: moments, bounds and structure, with fixed seeds. */
import { Linear, init } from "@nn/layers";
import { manualSeed, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it, test } from "vitest";

beforeEach(() => manualSeed(11));

interface Moments { mean: number; std: number; kurtosis: number; largest: number }
function moments(t: Tensor): Moments {
  const x = Array.from(t.dataSync());
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const about = (power: number): number => x.reduce((sum, v) => sum + (v - mean) ** power, 0) / x.length;
  return { mean, std: Math.sqrt(about(2)), kurtosis: about(4) / about(2) ** 2, largest: Math.max(...x.map(Math.abs)) };
}

// 3 for a normal distribution, 1.8 for a uniform one; cut at ±2σ: 2.3739 by integration.
const shapeOf = { normal: 3, uniform: 1.8, truncated: 2.3739 };

test.each([
  ["uniform(0.3)", init.uniform(0.3), 0.3 / Math.sqrt(3), "uniform"],
  ["normal(0.02)", init.normal(0.02), 0.02, "normal"],
  ["truncatedNormal(0.1)", init.truncatedNormal(0.1), 0.0879626, "truncated"],
  ["xavierUniform()", init.xavierUniform(), Math.sqrt(2 / 500), "uniform"],
  ["xavierNormal(5/3)", init.xavierNormal(5 / 3), (5 / 3) * Math.sqrt(2 / 500), "normal"],
  ["kaimingUniform()", init.kaimingUniform(), Math.sqrt(2 / 300), "uniform"],
  ["kaimingNormal()", init.kaimingNormal(), Math.sqrt(2 / 300), "normal"],
  ["kaimingNormal for PReLU's a = .25", init.kaimingNormal({ a: 0.25 }), Math.sqrt(2 / (1.0625 * 300)), "normal"],
  ["kaimingNormal by outputs", init.kaimingNormal({ mode: "fanOut" }), Math.sqrt(2 / 200), "normal"],
  ["lecunNormal()", init.lecunNormal(), Math.sqrt(1 / 300), "normal"],
  ["lecunUniform()", init.lecunUniform(), Math.sqrt(1 / 300), "uniform"],
  ["torchDefault", init.torchDefault, 1 / Math.sqrt(3 * 300), "uniform"],
] as const)("%s has its mean, spread and shape", (_, make, std, shape) => {
  const { mean, std: got, kurtosis, largest } = moments(make([200, 300]));
  expect(Math.abs(mean)).toBeLessThan((4 * std) / Math.sqrt(60_000));
  expect(got / std).toBeCloseTo(1, 2);
  expect(Math.abs(kurtosis - shapeOf[shape])).toBeLessThan(0.12);
  if (shape === "uniform") expect(largest).toBeLessThanOrEqual(std * Math.sqrt(3) * (1 + 1e-6));
  if (shape === "truncated") expect(largest).toBeLessThanOrEqual(0.2);
});

describe("fans", () => {
  it("of convolutions count the field", () => {
    expect(init.fans([16, 6, 5, 5])).toEqual({ fanIn: 150, fanOut: 400 });
    const { std } = moments(init.kaimingNormal()([64, 32, 5, 5]));
    expect(std / Math.sqrt(2 / 800)).toBeCloseTo(1, 2);
  });
});

describe("truncatedNormal", () => {
  it("takes a mean and another cut", () => {
    const x = Array.from(init.truncatedNormal(1, { mean: 5, cut: 1 })([100, 100]).dataSync());
    expect(Math.min(...x)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...x)).toBeLessThanOrEqual(6);
    expect(x.reduce((a, b) => a + b, 0) / x.length).toBeCloseTo(5, 1);
  });
});

describe("orthogonal", () => {
  const gram = (t: Tensor): number[][] => {
    const rows = t.reshape([t.shape[0]!, -1]).cast("f64");
    return (t.shape[0]! <= t.size / t.shape[0]! ? rows.matmul(rows.t()) : rows.t().matmul(rows)).toArray() as number[][];
  };
  test.each([[[5, 5]], [[3, 7]], [[7, 3]], [[8, 2, 3, 3]], [[1, 4]], [[4, 1]]])("%j: rows (or columns) at right angles, of length gain", (shape) => {
    const g = gram(init.orthogonal(1.5)(shape));
    g.forEach((row, i) => row.forEach((v, j) => expect(v).toBeCloseTo(i === j ? 2.25 : 0, 6)));
  });
  it("is uniform: every entry has mean 0 and variance 1/n over many draws, determinants have both signs", () => {
    const draws = Array.from({ length: 2000 }, () => Array.from(init.orthogonal()([3, 3]).dataSync()));
    for (let k = 0; k < 9; k++) {
      expect(Math.abs(draws.reduce((sum, d) => sum + d[k]!, 0) / 2000)).toBeLessThan(0.06);
      expect(draws.reduce((sum, d) => sum + d[k]! ** 2, 0) / 2000).toBeCloseTo(1 / 3, 1);
    }
    const det = (d: number[]): number => d[0]! * (d[4]! * d[8]! - d[5]! * d[7]!) - d[1]! * (d[3]! * d[8]! - d[5]! * d[6]!) + d[2]! * (d[3]! * d[7]! - d[4]! * d[6]!);
    const positive = draws.filter((d) => det(d) > 0).length;
    expect(Math.abs(positive - 1000)).toBeLessThan(100);
  });
});

it("constants and the identity", () => {
  expect(init.zero([2, 2]).toArray()).toEqual([[0, 0], [0, 0]]);
  expect(init.one([2]).toArray()).toEqual([1, 1]);
  expect(init.constant(-3)([2]).toArray()).toEqual([-3, -3]);
  expect(init.identity(2)([2, 3]).toArray()).toEqual([[2, 0, 0], [0, 2, 0]]);
  expect(() => init.identity()([2])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: identity: needs a matrix, got [2]]`);
});

it("each call draws anew, the same seed the same", () => {
  for (const make of [init.orthogonal(), init.lecunNormal(), init.truncatedNormal()]) {
    const draw = (): number[] => Array.from(make([3, 4]).dataSync());
    manualSeed(3);
    const [a, b] = [draw(), draw()];
    manualSeed(3);
    expect(draw()).toEqual(a);
    expect(b).not.toEqual(a);
  }
  expect(new Linear(3, 3, { init: init.orthogonal() }).weight.shape).toEqual([3, 3]);
});
