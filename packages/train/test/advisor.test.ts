import { Conv1d, Conv2d, Embedding, Linear, LSTM, ReLU, Sequential, TransformerEncoderLayer, type Module } from "@nn/layers";
import { adviseOptimizer, situationOf, type Advice, type Situation } from "@nn/train";
import { describe, expect, it } from "vitest";

describe("adviseOptimizer", () => {
  it.each<[Situation, Advice["optimizer"], RegExp]>([
    [{}, "Adam", /default.*rule of thumb/],
    [{ convex: true, tiny: true }, "LBFGS", /convex/],
    [{ convex: true, tiny: true, sparse: true }, "LBFGS", /convex/],
    [{ convex: true, sparse: true }, "Adagrad", /rare features/],
    [{ sparse: true }, "Adam", /rare rows/],
    [{ recurrent: true }, "Adam", /per-weight rates/],
    [{ recurrent: true, sparse: true }, "Adam", /per-weight rates/],
    [{ attention: true, sparse: true }, "AdamW", /warm-up/],
    [{ convolutional: true, tuning: "schedule" }, "SGD", /better test error/],
    [{ convolutional: true }, "Adam", /default/],
    [{ convolutional: true, tuning: "none" }, "Adam", /default/],
    [{ tuning: "none" }, "Adadelta", /no rate to choose/],
  ])("%o → %s", (situation, optimizer, reason) => {
    const advice = adviseOptimizer(situation);
    expect(advice.optimizer).toBe(optimizer);
    expect(advice.because[0]).toMatch(reason);
    expect(advice.otherwise).not.toBe("");
  });

  it("adds clipping for recurrent nets, laziness for large tables", () => {
    expect(adviseOptimizer({ recurrent: true }).also).toContain("clip the global gradient norm (1 to 5)");
    expect(adviseOptimizer({ sparse: true, sparseParameters: 6_000_000 }).also.join()).toMatch(/sparse: true/);
    expect(adviseOptimizer({ sparse: true, sparseParameters: 6_000_000 }).because[1]).toMatch(/6,000,000/);
    expect(adviseOptimizer({ sparse: true, sparseParameters: 1000 }).also).toEqual([]);
  });

  it("reads a model's layers", () => {
    const model = new Sequential(new Conv2d(1, 2, 3), new ReLU(), new Linear(2, 2));
    expect(situationOf(model)).toEqual({ convolutional: true, recurrent: false, attention: false, sparse: false, sparseParameters: 0 });
    const text = new Sequential(new Embedding(10, 4), new Conv1d(4, 4, 3), new LSTM(4, 4) as unknown as Module, new TransformerEncoderLayer(4, 2));
    expect(situationOf(text)).toEqual({ convolutional: true, recurrent: true, attention: true, sparse: true, sparseParameters: 40 });
  });
});
