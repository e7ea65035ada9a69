import { ReduceOnPlateau, schedule } from "@nn/optim";
import { describe, expect, it } from "vitest";

const first = (n: number, f: schedule.Schedule): number[] => Array.from({ length: n }, (_, t) => Number(f(t).toFixed(9)));

describe("schedules", () => {
  it("are plain functions", () => {
    expect([0, 9, 10, 20].map(schedule.stepDecay(10, 0.5))).toEqual([1, 1, 0.5, 0.25]);
    expect([0, 50, 100, 200].map((s) => Number(schedule.cosine(100)(s).toFixed(6)))).toEqual([1, 0.5, 0, 0]);
    expect([0, 1, 2, 3].map(schedule.warmup(2, schedule.cosine(2)))).toEqual([0.5, 1, 1, 0.5]);
    expect([0, 1, 2, 3, 4].map(schedule.multiStep([2, 4], 0.5))).toEqual([1, 1, 0.5, 0.5, 0.25]);
    expect([0, 1, 2].map(schedule.exponential(0.5))).toEqual([1, 0.5, 0.25]);
    expect(first(6, schedule.polynomial(4))).toEqual([1, 0.75, 0.5, 0.25, 0, 0]);
    expect(first(6, schedule.polynomial(4, { power: 2, end: 0.5 }))).toEqual([1, 0.78125, 0.625, 0.53125, 0.5, 0.5]);
    expect(first(4, schedule.linear(2, { from: 0.5, to: 1 }))).toEqual([0.5, 0.75, 1, 1]);
    expect(first(5, schedule.sequence([schedule.constant, schedule.exponential(0.5)], [2]))).toEqual([1, 1, 1, 0.5, 0.25]);
  });

  it("end where they should, and stay there", () => {
    for (const f of [schedule.cosine(10, 0.1), schedule.linear(10, { from: 1, to: 0.1 }), schedule.polynomial(10, { end: 0.1 })]) {
      expect([f(0), f(10), f(1e6)]).toEqual([1, 0.1, 0.1]);
    }
    expect(schedule.cosine(0, 0.5)(0)).toBe(0.5); // nothing to do
  });

  it("warm restarts start anew after 4, then 8, then 16 updates", () => {
    const f = schedule.warmRestarts(4, { mult: 2, floor: 0.25 });
    expect([0, 4, 12, 28].map(f)).toEqual([1, 1, 1, 1]);
    expect([2, 8, 20].map((t) => Number(f(t).toFixed(12)))).toEqual([0.625, 0.625, 0.625]);
    expect(schedule.warmRestarts(5)(5_000_000)).toBe(1);
  });

  it("one cycle goes up to 1 and down to almost 0", () => {
    const f = schedule.oneCycle(100);
    expect([f(0), f(29), f(99), f(500)].map((v) => Number(v.toFixed(9)))).toEqual([0.04, 1, 4e-6, 4e-6].map((v) => Number(v.toFixed(9))));
    const values = Array.from({ length: 100 }, (_, t) => f(t));
    values.slice(1).forEach((v, i) => expect(Math.sign(v - values[i]!)).toBe(i < 29 ? 1 : -1));
  });

  it("Noam's rate rises for `warmup` updates and then falls with 1/√t", () => {
    const f = schedule.noam(512, 4000);
    expect(f(3999)).toBeCloseTo(1 / Math.sqrt(512 * 4000), 15); // the top: 6.99e-4
    expect(f(3999)).toBeCloseTo(6.98771243e-4, 12);
    expect(f(0)).toBeCloseTo(f(3999) / 4000, 15);
    expect(f(15999)).toBeCloseTo(f(3999) / 2, 15);
  });

  it("refuse what has no meaning", () => {
    expect(() => schedule.lambda((t) => 1 - t)(2)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: schedule.lambda: the factor of update 2 is -1, must be ≥ 0]`);
    expect(() => schedule.lambda(() => NaN)(0)).toThrow(/is NaN/);
    expect(() => schedule.warmRestarts(0)).toThrow(/first is 0/);
    expect(() => schedule.warmRestarts(5, { mult: 0.5 })).toThrow(/mult is 0.5/);
    expect(() => schedule.oneCycle(3)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: schedule.oneCycle: a share of 0.3 on the way up leaves a phase of 3 updates empty]`);
    expect(() => schedule.oneCycle(100, { pctStart: 0.6, threePhase: true })).toThrow();
    expect(() => schedule.sequence([schedule.constant], [3])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: schedule.sequence: 1 schedules with 1 milestones, must be one more]`);
  });
});

describe("ReduceOnPlateau", () => {
  it("cuts after more than `patience` measures that are no better", () => {
    const plateau = new ReduceOnPlateau({ patience: 2, factor: 0.5 });
    expect([3, 2, 2, 2, 2, 1, 1].map((m) => plateau.update(m))).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5]);
    expect(plateau.schedule(123)).toBe(0.5);
    expect(plateau.factor).toBe(0.5);
  });
  it("takes NaN for no progress", () => {
    const plateau = new ReduceOnPlateau({ patience: 0, factor: 0.5 });
    expect([1, NaN, 0.5].map((m) => plateau.update(m))).toEqual([1, 0.5, 0.5]);
  });
  it("continues from its state, which is JSON", () => {
    const measures = Array.from({ length: 30 }, (_, i) => Math.max(1 / (1 + i), 0.2));
    const options = { patience: 2, cooldown: 1, factor: 0.5 };
    const whole = new ReduceOnPlateau(options);
    const all = measures.map((m) => whole.update(m));
    const [before, after] = [new ReduceOnPlateau(options), new ReduceOnPlateau(options)];
    const head = measures.slice(0, 11).map((m) => before.update(m));
    after.load(JSON.parse(JSON.stringify(before.state())) as ReturnType<typeof before.state>);
    expect([...head, ...measures.slice(11).map((m) => after.update(m))]).toEqual(all);
    expect(new Set(all).size).toBeGreaterThan(2);
  });
  it("refuses a factor that does not cut", () => {
    expect(() => new ReduceOnPlateau({ factor: 1 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: ReduceOnPlateau: factor is 1, must be in (0, 1)]`);
  });
});
