import { FastText, fastTextArgs, hashBytes, HuffmanTree } from "@nn/text";
import { FormatError } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { Dictionary } from "../src/fasttext/dictionary.ts";
import { fiveDigits, vectorText } from "../src/fasttext/vectors.ts";
import { corpus, goldenBytes, goldenLines, models } from "./golden.ts";

const load = (file: string) => FastText.fromBytes(goldenBytes(file));
const nameOf = (file: string) => file.replace(/\.\w+$/, "");

describe.each(models)("%s", (file) => {
  test("is written again byte for byte", () => {
    expect(load(file).toBytes()).toEqual(goldenBytes(file));
    expect(FastText.fromBytes(goldenBytes(file), { owned: true }).toBytes()).toEqual(goldenBytes(file));
  });
});

describe.each(["softmax.bin", "hs.bin", "ova.bin", "ns.bin", "quantized.ftz"])("%s", (file) => {
  const model = load(file);
  test("predicts the original's labels with its probabilities", async () => {
    const lines: string[] = [];
    await model.eachLine([corpus], ({ features }) => {
      lines.push(model.predictRows(features, 3).map(({ id, score }) => `${model.dictionary.label(id)} ${Math.exp(score)}`).join(" "));
    });
    const want = goldenLines(`${nameOf(file)}.predict.txt`);
    expect(lines).toHaveLength(want.length);
    for (const [i, line] of lines.entries()) {
      const ours = line.split(" "), theirs = want[i]!.split(" ");
      expect(ours.filter((_, j) => j % 2 === 0)).toEqual(theirs.filter((_, j) => j % 2 === 0));
      for (let j = 1; j < ours.length; j += 2) expect(Math.abs(Number(ours[j]) - Number(theirs[j])), `line ${i}: ${line}`).toBeLessThan(1e-5);
    }
  });

  test("a threshold leaves out what is less probable", () => {
    const all = model.predict("the cat and the bread", Infinity), some = model.predict("the cat and the bread", Infinity, 0.2);
    expect(all).toHaveLength(file === "hs.bin" ? 3 : 4); // the way down the tree ends where probabilities fall below 1e-5
    expect(some).toEqual(all.filter(({ probability }) => probability > 0.2));
  });
});

test("hierarchical softmax sums to 1", () => {
  const sum = load("hs.bin").predict("the river and 猫", Infinity).reduce((n, { probability }) => n + probability - 1e-5, 0);
  expect(sum).toBeCloseTo(1, 4);
  const tree = new HuffmanTree([8, 4, 2, 1, 1]), lengths = Array.from({ length: 5 }, (_, i) => tree.starts[i + 1]! - tree.starts[i]!);
  expect(lengths).toEqual([1, 2, 3, 4, 4]);
  expect(lengths.reduce((n, length) => n + 2 ** -length, 0)).toBe(1);
});

describe("vectors are the original's to its five digits", () => {
  const close = (ours: string, theirs: string) => {
    const a = ours.trim().split(" ").map(Number), b = theirs.trim().split(" ").map(Number);
    expect(a).toHaveLength(b.length);
    a.forEach((x, i) => expect(Math.abs(x - b[i]!), `${ours} | ${theirs}`).toBeLessThanOrEqual(1e-4 * Math.max(1e-3, Math.abs(b[i]!))));
  };
  test.each(["softmax.bin", "sg.bin", "cbow.bin"])("of words: %s", (file) => {
    const model = load(file), want = goldenLines(`${nameOf(file)}.words.txt`);
    ["cat", "unknownword", "中文"].forEach((word, i) => close(vectorText(model.wordVector(word)), want[i]!.slice(word.length)));
  });
  test.each(["softmax.bin", "hs.bin", "sg.bin", "quantized.ftz"])("of lines: %s", (file) => {
    const model = load(file), want = goldenLines(`${nameOf(file)}.sentences.txt`);
    const texts = new TextDecoder().decode(corpus).replace(/__label__[a-z]*/g, "").split("\n").slice(0, -2); // the last has bytes that no string has
    texts.forEach((text, i) => close(vectorText(model.sentenceVector(text)), want[i]!));
  });
  test.each(["sg", "cbow"])("of a .vec file: %s", (name) => {
    const text = new TextDecoder().decode(Buffer.concat([...load(`${name}.bin`).encodeVectors()])), theirs = new TextDecoder().decode(goldenBytes(`${name}.vec`));
    const ours = text.split("\n"), want = theirs.split("\n");
    expect(ours.map((line) => line.split(" ")[0])).toEqual(want.map((line) => line.split(" ")[0]));
    ours.slice(1, -1).forEach((line, i) => close(line.slice(line.indexOf(" ")), want[i + 1]!.slice(want[i + 1]!.indexOf(" "))));
  });
});

test.each(["sg", "cbow"])("neighbours and analogies: %s", (name) => {
  const model = load(`${name}.bin`);
  for (const [ours, file] of [[model.nearestNeighbors("cat", 3), "nn"], [model.analogies("cat", "dog", "park", 3), "analogies"]] as const) {
    const want = goldenLines(`${name}.${file}.txt`).filter((line) => /^\S+ \S+$/.test(line)).map((line) => line.split(" "));
    expect(ours.map(({ word }) => word).slice(0, want.length)).toEqual(want.map(([word]) => word));
    ours.slice(0, want.length).forEach(({ similarity }, i) => expect(similarity).toBeCloseTo(Number(want[i]![1]), 4));
  }
});

test("the dictionary of a text is the original's, order of ties included", () => {
  for (const file of models) {
    if (file.endsWith("ftz")) continue;
    const { args, dictionary: want } = load(file), dictionary = new Dictionary(args);
    dictionary.read(corpus);
    dictionary.finish(args);
    const list = (d: Dictionary) => Array.from({ length: d.size }, (_, i) => [d.word(i), d.counts[i], d.types[i]]);
    expect(list(dictionary)).toEqual(list(want));
    expect(dictionary.tokens).toBe(want.tokens);
  }
});

test("lines: CRLF, empty, unknown labels, </s> within a line", () => {
  const dictionary = new Dictionary({ label: "__label__", bucket: 0, minn: 0, maxn: 0, wordNgrams: 1 }), bytes = (text: string) => new TextEncoder().encode(text);
  dictionary.read(bytes("__label__x a b\n"));
  dictionary.finish({ minCount: 1, minCountLabel: 0 });
  const [a, b, end] = ["a", "b", "</s>"].map((word) => dictionary.find(word));
  const read = (text: string) => { const { features, labels, end: to } = dictionary.line(bytes(text)); return { features: [...features], labels: [...labels], to }; };
  expect(read("__label__x a\tb\r\nrest")).toEqual({ features: [a, b, end], labels: [0], to: 16 });
  expect(read("\n")).toEqual({ features: [end], labels: [], to: 1 });
  expect(read("__label__y a")).toEqual({ features: [a], labels: [], to: 12 });
  expect(read("a </s> b\n")).toEqual({ features: [a, end], labels: [], to: 6 });
  expect(read("")).toEqual({ features: [], labels: [], to: 0 });
});

test("precision and recall, overall and per label", async () => {
  const result = await load("softmax.bin").test([corpus]);
  expect(result).toMatchObject({ examples: 15 });
  expect(result.perLabel.map(({ label }) => label)).toEqual(["__label__animal", "__label__place", "__label__food", "__label__unknownrare"]);
  expect(result.precision).toBeGreaterThan(0.9);
});

test("files of version 11: supervised models had no subwords", () => {
  const bytes = goldenBytes("hs.bin");
  bytes[4] = 11;
  expect(FastText.fromBytes(bytes).args.maxn).toBe(0);
  bytes[4] = 13;
  expect(() => FastText.fromBytes(bytes)).toThrowErrorMatchingInlineSnapshot(`[FormatError: fastText model: version 13 is not known, expected 11 or 12 (at byte 4)]`);
});

test("mutated files are refused with a FormatError or are models that work", () => {
  let refused = 0, state = 1;
  const random = (n: number) => (state = (state * 48271) % 2147483647) % n;
  for (let i = 0; i < 2000; i++) {
    const bytes = goldenBytes(models[i % models.length]!), kind = random(4);
    let mutant = bytes;
    if (kind === 0) mutant = bytes.subarray(0, random(bytes.length));
    else if (kind === 1) mutant = Uint8Array.from([...bytes, ...bytes.subarray(0, 1 + random(20))]);
    else for (let j = random(4); j >= 0; j--) bytes[random(kind === 2 ? Math.min(400, bytes.length) : bytes.length)] = random(3) === 0 ? 255 : random(256);
    try {
      const model = FastText.fromBytes(mutant, { owned: i % 2 === 0 });
      model.sentenceVector("the cat");
      if (model.args.model === "sup") model.predict("the cat and unknownword", 3);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

test("numbers as C++ prints them", () => {
  expect([0, 1, -0.25, 123456, 1e-5, 0.00012345678, 99999.6, NaN].map(fiveDigits)).toEqual(["0", "1", "-0.25", "1.2346e+05", "1e-05", "0.00012346", "1e+05", "nan"]);
});

test("options that no model can have", () => {
  expect(fastTextArgs("sup")).toMatchObject({ loss: "softmax", minCount: 1, bucket: 0, lr: 0.1 });
  expect(() => fastTextArgs("sup", { dim: 0 })).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: fastText: dim is 0
      hint: a whole number from 1 to 2147483647]
  `);
  expect(() => load("sg.bin").predict("x")).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: FastText.predict: this is a model of word vectors (sg)
      hint: labels come from a supervised model]
  `);
  expect(() => load("hs.bin").predict("two\nlines")).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: FastText.predict: the text has several lines
      hint: predict line by line, or replace \\n by a space]
  `);
  expect(hashBytes(new Uint8Array())).toBe(2166136261);
});
