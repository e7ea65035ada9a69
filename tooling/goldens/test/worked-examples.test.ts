/**
 * Examples worked out by hand, with their printed digits: gradient descent, back-propagation through a 3-4-2 network,
 * convolution and pooling, SAME and VALID padding, attention, positions and layer norm. In f64.
 */
import { grad, valueAndGrad } from "@nn/autograd";
import { sinusoidalPositions } from "@nn/layers";
import { ArgumentError, Random, ShapeError, concat, conv2d, layerNorm, maxPool2d, scaledDotProductAttention, tensor, type Tensor, samePadding, validPadding } from "@nn/tensor";
import { describe, expect, test } from "vitest";

type Matrix = number[][];
const f64 = (values: Parameters<typeof tensor>[0], shape?: number[]): Tensor => {
  const t = tensor(values as number[], { dtype: "f64" }) as Tensor;
  return shape ? t.reshape(shape) : t;
};
/** `t` equals `expected` to the given number of decimals. */
function expectClose(t: Tensor, expected: ArrayLike<number>, decimals = 9): void {
  const got = Array.from(t.dataSync());
  expect(got).toHaveLength(expected.length);
  got.forEach((v, i) => expect(v, `element ${i}`).toBeCloseTo(expected[i]!, decimals));
}

describe("gradient descent on f(x) = x² from 2", () => {
  const slope = grad((x) => x.mul(x));
  function descend(rate: number, steps: number): number[] {
    let x = f64(2);
    return Array.from({ length: steps }, () => {
      x = x.sub(slope(x).mul(rate));
      return x.item();
    });
  }

  test("rate 0.1 converges: 1.6, 1.28, 1.024, …", () => {
    [1.6, 1.28, 1.024, 0.8192, 0.65536].forEach((v, i) => expect(descend(0.1, 5)[i]).toBeCloseTo(v, 12));
    expect(Math.abs(descend(0.1, 100).at(-1)!)).toBeLessThan(1e-9);
  });

  test("rate 1 = 2/λmax flips for ever", () => {
    expect(descend(1, 6)).toEqual([-2, 2, -2, 2, -2, 2]);
  });

  test("rate 1.1 diverges: every step grows by 1.2, and stays a number", () => {
    const path = descend(1.1, 50);
    path.forEach((x, i) => expect(x / (2 * (-1.2) ** (i + 1))).toBeCloseTo(1, 10));
    expect(Number.isFinite(path.at(-1))).toBe(true);
  });

  test("a batch of all samples is full-batch descent, bit for bit", () => {
    const xs = f64([[1, 2], [3, -1], [0.5, 4]]);
    const ts = f64([1, -2, 0.25]);
    const w = f64([0.3, -0.7]);
    const loss = (from: number, to: number) => (v: Tensor) => xs.slice(0, from, to).matmul(v).sub(ts.slice(0, from, to)).square().mean();
    expect(grad(loss(0, 3))(w).toArray()).toEqual(grad((v) => xs.matmul(v).sub(ts).square().mean())(w).toArray());
    // Three updates of one sample each make one epoch too, along another path.
    let v = w;
    for (let i = 0; i < 3; i++) v = v.sub(grad(loss(i, i + 1))(v).mul(0.1));
    expect(v.toArray()).not.toEqual(w.sub(grad(loss(0, 3))(w).mul(0.1)).toArray());
  });
});

describe("back-propagation through the 3-4-2 network (nodes 1-3, 4-7, 8-9)", () => {
  const rate = 0.5;
  const x = [0.5, -1, 1.5];
  const t = [1, 0];
  /** Rows are nodes: weights, then the bias. */
  const hiddenRows = [[0.1, -0.2, 0.3, 0.1], [0.4, 0.5, -0.6, -0.2], [-0.7, 0.8, 0.9, 0.3], [0.2, -0.4, 0.6, -0.1]];
  const outputRows = [[0.3, -0.5, 0.2, 0.7, 0.1], [-0.4, 0.6, -0.1, 0.5, -0.3]];

  const printed = {
    net: [0.8, -1.4, 0.5, 1.3],
    a: [0.6899744811, 0.1978161114, 0.6224593312, 0.785834983],
    y: [0.7073732681, 0.4683850918],
    error: 0.15250749920988582,
    outputDelta: [0.0605726589, -0.1166281209],
    hiddenDelta: [0.0138662781, -0.0159102559, 0.0055877641, -0.0026781654],
    w84: -0.04179358887594231,
    w41: -0.006933139051699298,
    w8b: -0.0605726588723105,
    new: { w84: 0.3208967944, w41: 0.1034665695, w8b: 0.1302863294, error: 0.13069372397662818 },
  };
  const one = f64([1]);

  const layer = (w: Tensor, v: Tensor): Tensor => w.matmul(concat([v, one]));
  const network = (hidden: Tensor, output: Tensor): Tensor => layer(output, layer(hidden, f64(x)).sigmoid()).sigmoid();
  const halfSquares = (y: Tensor): Tensor => f64(t).sub(y).square().sum().mul(0.5);

  test("forward", () => {
    const net = layer(f64(hiddenRows), f64(x));
    expectClose(net, printed.net);
    expectClose(net.sigmoid(), printed.a, 9);
    const y = network(f64(hiddenRows), f64(outputRows));
    expectClose(y, printed.y, 9);
    expect(halfSquares(y).item()).toBeCloseTo(printed.error, 15);
  });

  test("gradients by the tape, and the error after one step", () => {
    const loss = valueAndGrad((hidden: Tensor, output: Tensor) => halfSquares(network(hidden, output)));
    const { value, grads } = loss(f64(hiddenRows), f64(outputRows));
    const [hidden, output] = grads.map((g) => g.toArray() as Matrix) as [Matrix, Matrix];
    expect(value.item()).toBeCloseTo(printed.error, 15);
    expect(output[0]![0]).toBeCloseTo(printed.w84, 15);
    expect(hidden[0]![0]).toBeCloseTo(printed.w41, 15);
    expect(output[0]![4]).toBeCloseTo(printed.w8b, 15);
    // δ is minus the gradient of the error by the node's input, which is the bias gradient.
    output.forEach((row, i) => expect(-row[4]!).toBeCloseTo(printed.outputDelta[i]!, 9));
    hidden.forEach((row, i) => expect(-row[3]!).toBeCloseTo(printed.hiddenDelta[i]!, 9));

    const [hiddenNext, outputNext] = [f64(hiddenRows).sub(grads[0].mul(rate)), f64(outputRows).sub(grads[1].mul(rate))];
    expect(outputNext.at(0).at(0).item()).toBeCloseTo(printed.new.w84, 9);
    expect(outputNext.at(0).at(4).item()).toBeCloseTo(printed.new.w8b, 9);
    expect(hiddenNext.at(0).at(0).item()).toBeCloseTo(printed.new.w41, 9);
    expect(halfSquares(network(hiddenNext, outputNext)).item()).toBeCloseTo(printed.new.error, 15);
  });

  test("the rules by hand, with plain numbers, give the same", () => {
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    const dot = (u: number[], v: number[]): number => u.reduce((s, value, i) => s + value * v[i]!, 0);
    const a = hiddenRows.map((row) => sigmoid(dot(row, [...x, 1])));
    const y = outputRows.map((row) => sigmoid(dot(row, [...a, 1])));
    const outputDelta = y.map((v, j) => (t[j]! - v) * v * (1 - v));
    // The bias column takes no part in what flows back.
    const hiddenDelta = a.map((v, j) => v * (1 - v) * outputRows.reduce((s, row, k) => s + outputDelta[k]! * row[j]!, 0));
    outputDelta.forEach((d, i) => expect(d).toBeCloseTo(printed.outputDelta[i]!, 9));
    hiddenDelta.forEach((d, i) => expect(d).toBeCloseTo(printed.hiddenDelta[i]!, 9));
    expect(-outputDelta[0]! * a[0]!).toBeCloseTo(printed.w84, 15);
    expect(-hiddenDelta[0]! * x[0]!).toBeCloseTo(printed.w41, 15);
    const w84 = outputRows[0]![0]! + rate * outputDelta[0]! * a[0]!;
    expect(w84).toBeCloseTo(printed.new.w84, 9);
    // A misprint of the rule carries another factor (1 − y); it leads elsewhere.
    const misprinted = outputRows[0]![0]! + rate * outputDelta[0]! * (1 - y[0]!) * a[0]!;
    expect(misprinted).toBeCloseTo(0.3061149605, 9);
    expect(Math.abs(w84 - misprinted)).toBeGreaterThan(0.01);
  });
});

describe("convolution", () => {
  const x = f64([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], [1, 1, 5, 5]);
  const cross = f64([[1, 0, 1], [0, 1, 0], [1, 0, 1]], [1, 1, 3, 3]);
  const lopsided = f64([[1, 2, 0], [0, 1, 0], [0, 0, -1]], [1, 1, 3, 3]);
  const plane = (y: Tensor): unknown => (y.toArray() as number[][][][])[0]![0];

  test("stride 1, stride 2 and SAME with ReLU", () => {
    expect(plane(conv2d(x, cross, { act: "relu" }))).toEqual([[4, 3, 4], [2, 4, 3], [2, 3, 4]]);
    expect(plane(conv2d(x, cross, { act: "relu", stride: 2 }))).toEqual([[4, 4], [2, 4]]);
    const same = plane(conv2d(x, cross, { act: "relu", padding: "same" })) as Matrix;
    expect([same[0], same[4]]).toEqual([[2, 2, 3, 1, 1], [0, 2, 2, 1, 1]]);
  });

  test("is a correlation: the kernel is not flipped", () => {
    expect(plane(conv2d(x, lopsided))).toEqual([[3, 3, 1], [1, 3, 4], [-1, 3, 4]]);
    expect(plane(conv2d(x, lopsided.flip([2, 3])))).toEqual([[1, 3, 3], [1, 3, 2], [3, 3, 0]]);
  });

  // The tutorial's test `init_test`: three channels, two filters, padding 1, stride 2.
  const image = f64([
    [[0, 1, 1, 0, 2], [2, 2, 2, 2, 1], [1, 0, 0, 2, 0], [0, 1, 1, 0, 0], [1, 2, 0, 0, 2]],
    [[1, 0, 2, 2, 0], [0, 0, 0, 2, 0], [1, 2, 1, 2, 1], [1, 0, 0, 0, 0], [1, 2, 1, 1, 1]],
    [[2, 1, 2, 0, 0], [1, 0, 0, 1, 0], [0, 2, 1, 0, 1], [0, 1, 2, 2, 2], [2, 1, 0, 0, 1]],
  ], [1, 3, 5, 5]);
  const filters = f64([
    [[[-1, 1, 0], [0, 1, 0], [0, 1, 1]], [[-1, -1, 0], [0, 0, 0], [0, -1, 0]], [[0, 0, -1], [0, 1, 0], [1, -1, -1]]],
    [[[1, 1, -1], [-1, -1, 1], [0, -1, 1]], [[0, 1, 0], [-1, 0, -1], [-1, 1, 0]], [[-1, 0, 0], [-1, 0, 1], [-1, 0, 0]]],
  ]);
  const bias = f64([1, 0]);
  const forward = (b: Tensor, w: Tensor, v: Tensor): Tensor => conv2d(v, w, { bias: b, stride: 2, padding: 1 });

  test("three channels, two filters: forward", () => {
    expect(forward(bias, filters, image).toArray()).toEqual([[
      [[6, 7, 5], [3, -1, -1], [2, -1, 4]],
      [[2, -5, -8], [1, -4, -4], [0, -5, -5]],
    ]]);
  });

  test("three channels, two filters: all gradients", () => {
    const dy = f64([[[0, 1, 1], [2, 2, 2], [1, 0, 0]], [[1, 0, 2], [0, 0, 0], [1, 2, 1]]], [1, 2, 3, 3]);
    const [db, dw, dx] = valueAndGrad((b: Tensor, w: Tensor, v: Tensor) => forward(b, w, v).mul(dy).sum())(bias, filters, image).grads;
    expect(db.toArray()).toEqual([9, 7]); // one bias per filter, for all positions
    expect((dw.toArray() as number[][][][])[0]![0]).toEqual([[8, 10, 9], [5, 6, 6], [6, 5, 4]]);
    expect((dx.toArray() as number[][][][])[0]![0]![0]).toEqual([-1, 1, 1, -2, -1]);
  });
});

describe("max pooling", () => {
  const x = f64([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], [1, 1, 4, 4]);

  test("2×2/2: the gradient goes to the maxima", () => {
    expect(maxPool2d(x, 2).toArray()).toEqual([[[[6, 8], [3, 4]]]]);
    const dy = f64([[1, 2], [2, 4]], [1, 1, 2, 2]);
    expect(grad((v) => maxPool2d(v, 2).mul(dy).sum())(x).toArray()).toEqual([[[[0, 0, 0, 0], [0, 1, 0, 2], [2, 0, 0, 0], [0, 0, 0, 4]]]]);
  });

  test("3×3/2: a peak in four windows collects four gradients", () => {
    const peak = f64(Array.from({ length: 25 }, (_, i) => (i === 12 ? 10 : 0)), [1, 1, 5, 5]);
    const dx = grad((v) => maxPool2d(v, 3, { stride: 2 }).sum())(peak).toArray() as number[][][][];
    expect(dx[0]![0]![2]![2]).toBe(4);
  });
});

describe("SAME and VALID", () => {
  // in, kernel, stride, dilation → SAME out, before, after; VALID out
  const rows: [number, number, number, number, number, number, number, number | "error"][] = [
    [5, 3, 1, 1, 5, 1, 1, 3],
    [5, 3, 2, 1, 3, 1, 1, 2],
    [6, 3, 2, 1, 3, 0, 1, 2],
    [7, 2, 2, 1, 4, 0, 1, 3],
    [13, 4, 3, 1, 5, 1, 2, 4],
    [10, 3, 1, 2, 10, 2, 2, 6],
    [1, 3, 1, 1, 1, 1, 1, "error"],
    [2, 1, 3, 1, 1, 0, 0, 1],
    [28, 5, 1, 1, 28, 2, 2, 24],
    [224, 11, 4, 1, 56, 3, 4, 54],
    [227, 11, 4, 1, 57, 4, 4, 55],
  ];
  test.each(rows)("in %i, kernel %i, stride %i, dilation %i", (size, kernel, stride, dilation, out, before, after, valid) => {
    expect(samePadding(size, kernel, stride, dilation)).toEqual({ out, before, after });
    if (valid === "error") expect(() => validPadding(size, kernel, stride, dilation)).toThrow(ShapeError);
    else expect(validPadding(size, kernel, stride, dilation)).toEqual({ out: valid, before: 0, after: 0 });

    // conv2d follows the same table.
    const [x, w] = [f64(Array.from({ length: size }, (_, i) => i % 7), [1, 1, 1, size]), f64(Array.from({ length: kernel }, (_, i) => i - 1), [1, 1, 1, kernel])];
    const options = { stride: [1, stride], dilation: [1, dilation] } as const;
    const same = conv2d(x, w, { ...options, padding: "same" });
    expect(same.shape).toEqual([1, 1, 1, out]);
    const explicit = (v: Tensor): Tensor => conv2d(v.pad([[0, 0], [0, 0], [0, 0], [before, after]]), w, { ...options, padding: "valid" });
    expect(same.toArray()).toEqual(explicit(x).toArray());
    expect(grad((v) => conv2d(v, w, { ...options, padding: "same" }).square().sum())(x).toArray()).toEqual(grad((v) => explicit(v).square().sum())(x).toArray());
    if (valid === "error") expect(() => conv2d(x, w, { ...options, padding: "valid" })).toThrow(ShapeError);
    else expect(conv2d(x, w, { ...options, padding: "valid" }).shape).toEqual([1, 1, 1, valid]);
  });

  test("what SAME is, over 10⁴ random sizes", () => {
    const random = new Random(1);
    for (let i = 0; i < 10_000; i++) {
      const [size, kernel, stride, dilation] = [300, 11, 6, 4].map((most, k) => random.int(4 * i + k, most) + 1) as [number, number, number, number];
      const { out, before, after } = samePadding(size, kernel, stride, dilation);
      const what = [size, kernel, stride, dilation].join();
      expect(out, what).toBe(Math.ceil(size / stride));
      expect([0, 1], what).toContain(after - before);
      const eff = (kernel - 1) * dilation + 1, padded = size + before + after;
      // The zeros are enough, and one less is not; where the input alone is enough there are none.
      expect(validPadding(padded, kernel, stride, dilation).out, what).toBe(out);
      if (before + after > 0) expect(Math.floor((padded - 1 - eff) / stride) + 1, what).toBe(out - 1);
      else expect(size, what).toBeGreaterThanOrEqual((out - 1) * stride + eff);
    }
  });

  test("in 1, kernel 4, stride 2 does not fit: dividing with truncation would answer 0", () => {
    expect(() => validPadding(1, 4, 2)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: validPadding: a kernel of 4 does not fit in 1
        hint: pad the input, or use a smaller kernel]
    `);
  });

  test.each([
    [5, 3, 0, 1],
    [5, 3, 1, 0],
    [5, 0, 1, 1],
    [-1, 3, 1, 1],
    [5, 3, 1.5, 1],
  ])("in %d, kernel %d, stride %d, dilation %d is refused", (...sizes) => {
    expect(() => samePadding(...sizes)).toThrow(ArgumentError);
    expect(() => validPadding(...sizes)).toThrow(ArgumentError);
  });
});

describe("the parts of a Transformer (Vaswani 2017)", () => {
  test("attention of two queries over three keys", () => {
    const heads = (rows: Matrix) => f64(rows).unsqueeze(0); // [1,N,D]
    const y = scaledDotProductAttention(heads([[1, 0], [0, 1]]), heads([[1, 0], [0, 1], [1, 1]]), heads([[1, 2], [3, 4], [5, 6]]));
    expectClose(y.slice(1, 1, 2), [3.4067, 4.4067], 4);
    expectClose(y.slice(1, 0, 1), [3, 4], 10);
  });

  test("position 1 of 4 features", () => {
    expectClose(sinusoidalPositions(2, 4).slice(0, 1, 2), [0.8414709848, 0.5403023059, 0.0099998333, 0.9999500004], 7); // in f32
  });

  test("layer norm of 1, 2, 3, 4", () => {
    expectClose(layerNorm(f64([1, 2, 3, 4]), 4), [-1.3416, -0.4472, 0.4472, 1.3416], 4);
  });
});
