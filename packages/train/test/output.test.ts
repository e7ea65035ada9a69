import { ConfusionMatrix, Progress, TopKError, bar, clock, renderReport, startRun } from "@nn/train";
import { randn, tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { tiny } from "./tiny.ts";

describe("progress", () => {
  it("draws bars and clocks", () => {
    expect([0, 0.3, 0.5, 1].map((s) => `[${bar(s, 4)}]`)).toEqual(["[    ]", "[█▎  ]", "[██  ]", "[████]"]);
    expect([5, 65, 3723].map(clock)).toEqual(["0:05", "1:05", "1:02:03"]);
  });

  it("prints a line per epoch where it is not live", () => {
    let text = "";
    let now = 0;
    const progress = new Progress({ write: (t) => (text += t), live: false, now: () => (now += 1000) });
    progress.onStep({ epoch: 1, epochs: 2, batch: 1, batches: 2, loss: 1, meanLoss: 1, lr: 0.1, samples: 8 });
    progress.onEpoch({ epoch: 1, loss: 0.5, lr: 0.1, "test accuracy": 0.875 });
    expect(text).toBe("epoch 1: loss 0.5000 · test accuracy 87.5 % · 0:01\n");
  });

  it("redraws one line with rate and time to go where it is", () => {
    let text = "";
    let now = 0;
    const progress = new Progress({ write: (t) => (text = t), live: true, now: () => (now += 1000) });
    const step = { epoch: 1, epochs: 1, batches: 4, loss: 1, meanLoss: 0.25, lr: 0.1, samples: 8 };
    progress.onStep({ ...step, batch: 1 });
    progress.onStep({ ...step, batch: 2 });
    expect(text).toBe(`\r\u001b[2Kepoch 1/1 ${bar(0.5, 24)} loss 0.2500 · 16 images/s · 0:02 to go`);
    progress.onEpoch({ epoch: 1, loss: 0.5, lr: 0.1, "test accuracy": 0.875 });
    progress.onStep({ ...step, batch: 3 });
    expect(text).toBe(`\r\u001b[2Kepoch 1/1 ${bar(0.75, 17)} loss 0.2500 · test 87.5 % · 8 images/s · 0:02 to go`);
  });

  it("never fills the terminal", () => {
    for (const columns of [40, 79, 200]) {
      let text = "";
      const progress = new Progress({ write: (t) => (text = t), live: true, columns: () => columns, now: () => 0 });
      progress.onStep({ epoch: 1, epochs: 16, batch: 1, batches: 4, loss: 1, meanLoss: 0.25, lr: 0.1, samples: 8 });
      expect(text.replace("\r\u001b[2K", "").length).toBeLessThan(columns);
    }
  });
});

describe("ConfusionMatrix", () => {
  it("counts true against predicted, ties to the lower class", () => {
    const m = new ConfusionMatrix(3);
    m.add(tensor([[2, 1, 0], [1, 1, 0], [0, 0, 5], [0, 3, 1]]), tensor(Int32Array.of(0, 1, 2, 1)));
    expect([...m.counts]).toEqual([1, 0, 0, 1, 1, 0, 0, 0, 1]);
    expect(m.accuracy).toBe(0.75);
    expect(m.perClass()).toEqual([1, 0.5, 1]);
    m.add(tensor([[0, 1, 0], [0, 1, 0], [1, 0, 0]]), tensor(Int32Array.of(2, 2, 1)));
    expect(m.mistakes(1)).toEqual([{ actual: 1, predicted: 0, count: 2 }]);
    expect(m.mistakes(9).map(({ actual, predicted, count }) => [actual, predicted, count])).toEqual([[1, 0, 2], [2, 1, 2]]);
  });
});

describe("TopKError", () => {
  it("counts labels that are not among the k highest scores; of equals the lower index is higher", () => {
    const scores = tensor([[5, 4, 3, 2], [1, 1, 1, 1], [1, 1, 1, 1], [NaN, 0, 0, 0]]), labels = tensor(Int32Array.of(2, 1, 3, 0));
    const errors = [1, 2, 3, 4].map((k) => {
      const error = new TopKError(k);
      error.add(scores, labels);
      return error.value;
    });
    expect(errors).toEqual([1, 0.75, 0.5, 0]);
    expect(new TopKError(1).value).toBeNaN();
  });

  it("of k = 1 is what the confusion matrix says", () => {
    const scores = randn([200, 7]), labels = tensor(Int32Array.from({ length: 200 }, (_, i) => i % 7));
    const [matrix, error] = [new ConfusionMatrix(7), new TopKError(1)];
    matrix.add(scores, labels);
    error.add(scores, labels);
    expect(error.value).toBeCloseTo(1 - matrix.accuracy, 12);
  });
});

describe("the report", () => {
  it("is one file with curves, pictures, filters and the confusion matrix, and escapes names", async () => {
    const data = await tiny.data(null);
    const run = startRun(tiny, data, tiny.defaults);
    await run.trainer.fit();
    const html = await renderReport({
      title: "tiny <b>",
      description: tiny.description,
      classes: ["left & up", "right"],
      options: tiny.defaults as unknown as Record<string, unknown>,
      history: run.trainer.history,
      evaluation: await run.evaluate(),
      filters: { data: Float32Array.from({ length: 18 }, (_, i) => i), shape: [2, 1, 3, 3] },
      pictures: data.pictures,
      predictions: [{ predicted: 0, probability: 0.9 }, { predicted: 0, probability: 0.6 }],
      published: [{ what: "chance & luck", accuracy: 0.5, source: "Nobody 1900" }],
    });
    expect(html).toContain("<tr><th>chance &#38; luck</th><td>50.0\u00a0%</td><td>Nobody 1900</td></tr>");
    expect(html).toContain("tiny &#60;b&#62;");
    expect(html).toContain("left &#38; up");
    expect(html.match(/<img class="filter" src="data:image\/png;base64,/g)?.length).toBe(2);
    expect(html.match(/<figure class="(right|wrong)">/g)).toEqual(['<figure class="right">', '<figure class="wrong">']);
    expect(html).toMatch(/<svg[^>]*aria-label="Loss: loss over epoch"/);
    expect(html.match(/<td style="--share/g)?.length).toBe(4);
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
  });
});
