import { Embedding, Flatten, Linear, LSTM, MaxPool2d, Conv2d, Module, ReLU, Sequential } from "@nn/layers";
import type { Tensor } from "@nn/tensor";
import { summary } from "@nn/train";
import { describe, expect, it } from "vitest";

describe("summary", () => {
  const net = new Sequential(new Conv2d(1, 6, 5, { padding: 2 }), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(6 * 14 * 14, 10));

  it("lists shapes, parameters and work of every layer", () => {
    const s = summary(net, [2, 1, 28, 28]);
    expect(s.rows.map((r) => [r.path, r.layer.replace(/\(.*/, ""), r.output.join("×"), r.parameters])).toEqual([
      ["0", "Conv2d", "2×6×28×28", 156],
      ["1", "ReLU", "2×6×28×28", 0],
      ["2", "MaxPool2d", "2×6×14×14", 0],
      ["3", "Flatten", "2×1176", 0],
      ["4", "Linear", "2×10", 11770],
    ]);
    expect(s.rows[0]!.flops).toBe(2 * 2 * 28 * 28 * 6 * 25);
    expect(s.rows[4]!.flops).toBe(2 * 2 * 1176 * 10);
    expect(s.parameters).toBe(net.parameterCount());
    expect(s.parameterBytes).toBe(4 * 11926);
    expect(String(s)).toMatch(/^ +layer +output +parameters +FLOPs\n-+\ninput +\[2,1,28,28\]\n0 +Conv2d\(1, 6, kernelSize=5, padding=2\) +\[2,6,28,28\] +156 +470,400\n/);
    expect(String(s)).toMatch(/11,926 parameters \(0\.0 MiB\), 517,440 FLOPs forward, activations 0\.1 MiB$/);
  });

  it("reads ids, counts shared parameters once and gives work outside layers to what encloses it", () => {
    class Tagger extends Module {
      readonly table = new Embedding(10, 4);
      readonly lstm = new LSTM(4, 3, { batchFirst: true });
      readonly out = new Linear(3, 3);
      forward(ids: Tensor): Tensor {
        const { output } = this.lstm.call(this.table.call(ids));
        return this.out.call(this.out.call(output)).matmul(this.out.weight);
      }
    }
    const model = new Tagger().train();
    const s = summary(model, [2, 5], { dtype: "i32" });
    expect(s.rows.map((r) => [r.path, r.parameters])).toEqual([["table", 40], ["lstm", model.lstm.parameterCount()], ["out", 12], ["out", 0], ["model", 0]]);
    expect(s.rows.at(-1)!.flops).toBe(2 * 10 * 3 * 3);
    expect(s.parameters).toBe(model.parameterCount());
    expect(model.training).toBe(true);
  });
});
