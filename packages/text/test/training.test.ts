import { readFileSync, writeFileSync } from "node:fs";
import { createJobEngine } from "@nn/kernels/jobs";
import { corpusOf, fastTextArgs, trainFastText, type FastTextTrainOptions } from "@nn/text";
import { loadFastText, saveFastText } from "@nn/text/node";
import { describe, expect, test } from "vitest";
import { Dictionary } from "../src/fasttext/dictionary.ts";
import { DenseMatrix } from "../src/fasttext/matrix.ts";
import { Training } from "../src/fasttext/training.ts";
import { readDictionary } from "../src/fasttext/train.ts";
import { corpus, inFolder, original, runOriginal, withoutOriginal } from "./golden.ts";
import { referenceTraining } from "./reference.ts";

/** Documents of two topics with words of their own among common ones. */
function documents(count: number, seed = 1): string {
  let state = seed;
  const random = (n: number) => (state = (state * 48271) % 2147483647) % n;
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const topic = random(2), words = Array.from({ length: 5 + random(20) }, () => (random(5) === 0 ? `t${topic}w${random(30)}` : `w${Math.floor(2000 / (1 + random(400)))}`));
    lines.push(`__label__${topic} ${words.join(" ")}`);
  }
  return `${lines.join("\n")}\n`;
}
const text = documents(600), bytes = new TextEncoder().encode(text);
const kinds = ["native", "wasm"] as const;

const cases: FastTextTrainOptions[] = [
  { model: "sup", dim: 10 }, { model: "sup", dim: 37, loss: "hs", wordNgrams: 2, bucket: 1000 }, { model: "sup", dim: 3, loss: "ns", minn: 2, maxn: 3, bucket: 500 },
  { model: "sup", dim: 16, loss: "ova", wordNgrams: 3, bucket: 300 }, { model: "sg", dim: 20, minCount: 1, minn: 0, maxn: 0, t: 1e-2 },
  { model: "cbow", dim: 9, minCount: 1, bucket: 2000, t: 1e-2 }, { model: "cbow", dim: 8, minCount: 1, loss: "hs", minn: 0, maxn: 0 }, { model: "sg", dim: 5, minCount: 3, loss: "softmax", minn: 0, maxn: 0, t: 1e-2 },
];
const name = (options: object) => JSON.stringify(options);

describe.each(kinds)("%s", (kind) => {
  test.each(cases.map((options) => [name(options), options] as const))("one part is plain stochastic gradient descent: %s", (_, { model, ...given }) => {
    const args = fastTextArgs(model!, { ...given, epoch: 1, seed: 3 }), source = corpusOf(bytes), dictionary = readDictionary(source, args);
    const engine = createJobEngine({ kind, threads: 1 }), training = new Training(engine, args, dictionary, source);
    const input = Float64Array.from(training.input.data), output = new Float64Array(training.output.data.length);
    const loss = referenceTraining(args, dictionary, bytes, input, output);
    expect(training.run({ parts: 1 }).loss).toBeCloseTo(loss, 3);
    const far = (ours: Float32Array, want: Float64Array) => want.reduce((most, x, i) => Math.max(most, Math.abs(x - ours[i]!)), 0) / want.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(far(training.output.data, output)).toBeLessThan(5e-3); // a place in the table of sigmoids may fall on its neighbour
    expect(far(training.input.data, input)).toBeLessThan(5e-3);
  });

  test.each(cases.map((options) => [name(options), options] as const))("one part: the same bits for 1, 2 and 3 threads: %s", (_, options) => {
    const [one, ...more] = [1, 2, 3].map((threads) => trainFastText(corpusOf(bytes), { ...options, kind, threads, epoch: 2 }));
    for (const other of more) expect(other.model.toBytes()).toEqual(one!.model.toBytes());
    expect(one!.progress.progress).toBe(1);
  });

  test("the worked example of reference.md 13.1", () => {
    const dictionary = new Dictionary({ label: "__label__", bucket: 0, minn: 0, maxn: 0, wordNgrams: 1 }), line = new TextEncoder().encode("w0 w2 __label__y1");
    for (const [i, entry] of ["w0", "w1", "w2", "__label__y0", "__label__y1"].entries()) dictionary.append(new TextEncoder().encode(entry), 0, entry.length, 1, i < 3 ? 0 : 1);
    dictionary.complete();
    dictionary.tokens = 3;
    const args = fastTextArgs("sup", { dim: 2, lr: 1, epoch: 1, lrUpdateRate: 1 });
    const training = new Training(createJobEngine({ kind, threads: 1 }), args, dictionary, corpusOf(line), new DenseMatrix(3, 2, Float32Array.of(1, 0, 0, 1, 1, 1)));
    training.output.data.set([0.5, -0.5, 0.2, 0.3]);
    expect(training.run().loss).toBeCloseTo(0.6444, 2); // by a table of 512 logarithms
    const change = (after: Float32Array, before: number[]) => before.map((x, i) => x - after[i]!);
    const db = [0.4750208125, 0.2375104063, -0.4750208125, -0.2375104063], da = [0.0712531219, -0.1900083250];
    change(training.output.data, [0.5, -0.5, 0.2, 0.3]).forEach((x, i) => expect(x).toBeCloseTo(db[i]!, 6));
    change(training.input.data, [1, 0, 0, 1, 1, 1]).forEach((x, i) => expect(x).toBeCloseTo([...da, 0, 0, ...da][i]!, 6));
  });

  test.each([{}, { parts: 3, threads: 2 }])("learns the topics: %o", async (options) => {
    const { model, progress } = trainFastText(corpusOf(bytes), { kind, dim: 10, epoch: 20, lr: 0.5, ...options });
    expect(progress.loss).toBeLessThan(0.3);
    expect((await model.test([new TextEncoder().encode(documents(200, 7))])).precision).toBeGreaterThan(0.9);
  });
});

test("a line longer than a piece, one without an end, and a text that is a single line", () => {
  const long = `__label__a ${"x ".repeat(40_000)}\n__label__b ${"y ".repeat(30_000)}`;
  for (const options of [{}, { parts: 2 }]) {
    const { model } = trainFastText(corpusOf(long), { dim: 4, epoch: 30, lr: 1, threads: 1, ...options });
    expect([model.predict("x")[0]!.label, model.predict("y")[0]!.label]).toEqual(["__label__a", "__label__b"]);
    expect(trainFastText(corpusOf("a b c d ".repeat(20_000)), { model: "sg", dim: 4, epoch: 1, minCount: 1, threads: 1, bucket: 100, t: 1, ...options }).progress.progress).toBe(1);
  }
});

test("progress is told, and training can be stopped", () => {
  const seen: number[] = [], big = documents(5000);
  const { progress } = trainFastText(corpusOf(big), { dim: 100, epoch: 1000, threads: 1, onProgress: ({ progress: p }) => (seen.push(p), seen.length < 3) });
  expect(seen).toHaveLength(3);
  expect(progress.progress).toBeGreaterThanOrEqual(seen[2]!);
  expect(progress.progress).toBeLessThan(1);
});

test("texts that nothing can be learned from", () => {
  expect(() => trainFastText(corpusOf(""))).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: fastText: the text is empty]`);
  expect(() => trainFastText(corpusOf("no label here\n"))).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: fastText: the text has no labels
      hint: labels begin with "__label__"]
  `);
  expect(() => trainFastText(corpusOf("a b c"), { model: "sg" })).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: fastText: Empty vocabulary. Try a smaller -minCount value.
      hint: the text has 3 tokens]
  `);
  expect(() => trainFastText(corpusOf(text), { lr: 1e30, epoch: 2, threads: 1 })).toThrowErrorMatchingInlineSnapshot(`
    [NnError: fastText: the loss is not a number any more
      hint: lr 1e+30 is too large]
  `);
});

describe.skipIf(!original)(`with the original${original ? "" : `: ${withoutOriginal}`}`, () => {
  test("untrained models are equal, byte for byte", () => inFolder((path) => {
    writeFileSync(path("text"), text);
    for (const [command, model, flags, given] of [
      ["supervised", "sup", ["-dim", "10"], { dim: 10 }],
      ["supervised", "sup", ["-wordNgrams", "2", "-bucket", "1000", "-seed", "5", "-minn", "2", "-maxn", "4"], { wordNgrams: 2, bucket: 1000, seed: 5, minn: 2, maxn: 4 }],
      ["skipgram", "sg", ["-dim", "20", "-minCount", "2", "-bucket", "3000"], { dim: 20, minCount: 2, bucket: 3000 }],
    ] as const) {
      runOriginal([command, "-input", path("text"), "-output", path("model"), "-epoch", "0", "-thread", "12", "-verbose", "0", ...flags]);
      const theirs = new Uint8Array(readFileSync(path("model.bin")));
      expect(trainFastText(corpusOf(bytes), { model, epoch: 0, ...given, threads: 1 }).model.toBytes()).toEqual(theirs);
    }
  }));

  test("it loads what we write and predicts the same", () => inFolder(async (path) => {
    const lines = new TextDecoder().decode(corpus).split("\n").filter((line) => line !== "").slice(0, -1).join("\n");
    for (const options of [{ wordNgrams: 2, bucket: 500 }, { loss: "hs", minn: 2, maxn: 3, bucket: 100 }, { loss: "ova" }, { loss: "ns" }] as const) {
      const { model } = trainFastText(corpusOf(corpus), { dim: 12, epoch: 100, lr: 0.5, threads: 1, ...options });
      await saveFastText(path("model.bin"), model);
      const again = await loadFastText(path("model.bin"));
      const theirs = runOriginal(["predict-prob", path("model.bin"), "-", "3"], `${lines}\n`).trimEnd().split("\n");
      lines.split("\n").forEach((line, i) => {
        const fields = theirs[i]!.split(" "), ours = again.predict(line, 3);
        expect(ours.map(({ label }) => label)).toEqual(fields.filter((_, j) => j % 2 === 0));
        ours.forEach(({ probability }, j) => expect(Math.abs(probability - Number(fields[2 * j + 1]))).toBeLessThan(1e-5));
      });
    }
  }));
});
