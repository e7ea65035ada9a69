import { getEngine, tensor, trace, variable, zeros, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { WeightAverage } from "@nn/optim";
import { describe, expect, it } from "vitest";

const of = (values: number[], dtype: "f32" | "f64" = "f64"): Variable => variable(tensor(values, { dtype })) as Variable;

/** Averages after each of these weights. */
const follow = (average: WeightAverage, w: Variable, path: number[]): number[] =>
  path.map((v) => {
    w.write([v]);
    average.update();
    return average.averages[0]!.item();
  });

describe("WeightAverage", () => {
  it.each(["f64", "f32"] as const)("is a running mean or the mean of all, from a copy on, %s", (dtype) => {
    const w = of([9], dtype);
    expect(follow(new WeightAverage([w], { decay: 0.5 }), w, [4, 2, 8])).toEqual([4, 3, 5.5]);
    expect(follow(new WeightAverage([w], { kind: "swa" }), w, [4, 2, 9])).toEqual([4, 3, 5]);
  });

  it("goes over all f32 weights in one launch", () => {
    const average = new WeightAverage([variable(zeros([1000])), variable(zeros([3, 3]))]);
    expect(trace(() => average.update()).kernels).toEqual([`mapList_${getEngine().isa}`]);
  });

  it("exchanges weights and averages, and gives back the same bits", () => {
    const [a, b] = [of([0.1, 0.2], "f32"), of([0.3])];
    const average = new WeightAverage([a, b], { kind: "swa" });
    average.update();
    const now = [0.7, 0.8].map(Math.fround);
    a.write(now);
    average.update();
    average.swap();
    expect(a.dataSync()[0]).toBeCloseTo(0.4, 6);
    average.swap();
    expect([...a.dataSync()]).toEqual(now);
    expect(average.averages[0]!.dataSync()[0]).toBeCloseTo(0.4, 6);
  });

  it("runs a function on the averages, and goes back when it throws", async () => {
    const w = of([4]);
    const average = new WeightAverage([w], { decay: 0.5 });
    follow(average, w, [4, 2]);
    expect(await average.during(() => w.item())).toBe(3);
    expect(await average.during(() => Promise.resolve(w.item()))).toBe(3);
    await expect(average.during(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(w.item()).toBe(2);
  });

  it("continues from its state with the same bits", () => {
    const path = [1, 0.3, 0.7, 0.2, 0.9];
    for (const kind of ["ema", "swa"] as const) {
      const w = of([0], "f32");
      const whole = follow(new WeightAverage([w], { kind, decay: 0.9 }), w, path);
      const before = new WeightAverage([w], { kind, decay: 0.9 });
      const head = follow(before, w, path.slice(0, 2));
      const after = new WeightAverage([w], { kind, decay: 0.9 });
      after.loadStateDict(before.stateDict());
      expect([...head, ...follow(after, w, path.slice(2))]).toEqual(whole);
    }
  });

  it("refuses what would lose weights", () => {
    const w = of([1]);
    const average = new WeightAverage([w]);
    expect(() => average.swap()).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: WeightAverage: swap() before the first update()]`);
    average.update();
    average.swap();
    expect(() => average.update()).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: WeightAverage: update() while the averages are swapped in
        hint: swap() back first]
    `);
    expect(() => average.stateDict()).toThrow(/swapped in/);
    average.swap();
    expect(() => new WeightAverage([of([1, 2])]).loadStateDict(average.stateDict())).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: WeightAverage: state '0' does not fit a weight of shape [2]]`);
    expect(() => new WeightAverage([])).toThrow(/no parameters/);
    expect(() => new WeightAverage([w], { decay: 1 })).toThrow(/decay is 1/);
  });
});
