import { ops, randint, randn, tensor, trace, withEngine, withReference, type Tensor } from "../src/index.ts";
import { describe, expect, it, test } from "vitest";
import { onEveryEngine, relativeError } from "./engines.ts";

type Cell = "lstm" | "gru" | "tanh" | "relu";
const gateCount = { lstm: 4, gru: 3, tanh: 1, relu: 1 };

interface Case {
  cell: Cell;
  T: number;
  B: number;
  I: number;
  H: number;
  states?: boolean;
  lengths?: boolean;
  reverse?: boolean;
}

function operands({ cell, T, B, I, H, states = false, lengths = false }: Case) {
  const rows = gateCount[cell] * H;
  const small = (shape: number[], seed: number): Tensor => randn(shape, { seed }).mul(1 / Math.sqrt(H)) as Tensor;
  return {
    x: randn([T, B, I], { seed: 1 }) as Tensor,
    weightIh: small([rows, I], 2), weightHh: small([rows, H], 3), biasIh: small([rows], 4), biasHh: small([rows], 5),
    ...(states && { h0: small([B, H], 6), ...(cell === "lstm" && { c0: small([B, H], 7) }) }),
    ...(lengths && { lengths: randint(0, T + 1, [B], { seed: 8 }) as Tensor }),
  };
}

/** Outputs and, from random gradients of them, all gradients. */
function everything(c: Case): Record<string, Tensor> {
  const attrs = { cell: c.cell, reverse: c.reverse ?? false };
  const inputs = operands(c);
  const out = ops.recurrent(inputs, attrs);
  const { biasIh: _, biasHh: __, ...rest } = inputs;
  const like = (t: Tensor, seed: number): Tensor => randn([...t.shape], { seed }) as Tensor;
  const grads = ops.recurrentGrad(
    { ...rest, y: out.y, gates: out.gates, dy: like(out.y, 11), dh: like(out.h, 12), ...(c.cell === "lstm" && { dc: like(out.c, 13) }) },
    { ...attrs, needsX: true },
  );
  return { ...out, ...grads };
}

const cases: Case[] = [
  // rows of the batch around tiles and blocks, hidden sizes around vectors and blocks of k
  ...(["lstm", "gru", "tanh", "relu"] as const).flatMap((cell): Case[] => [
    { cell, T: 3, B: 1, I: 5, H: 7 },
    { cell, T: 2, B: 17, I: 3, H: 15, states: true, reverse: true },
    { cell, T: 4, B: 16, I: 1, H: 16, states: true, lengths: true },
    { cell, T: 3, B: 13, I: 4, H: 17, states: true, lengths: true, reverse: true },
    { cell, T: 2, B: 50, I: 6, H: 33, lengths: true },
  ]),
  { cell: "lstm", T: 2, B: 3, I: 40, H: 257, states: true },
  { cell: "gru", T: 2, B: 3, I: 40, H: 130, states: true },
  { cell: "tanh", T: 2, B: 131, I: 2, H: 3, reverse: true },
  { cell: "lstm", T: 1, B: 1, I: 1, H: 1, states: true },
];

onEveryEngine("recurrent", (engine) => {
  it.each(cases)("kernel = reference: $cell T=$T B=$B I=$I H=$H states=$states lengths=$lengths reverse=$reverse", (c) => {
    withEngine(engine, () => {
      const { result, kernels } = trace(() => everything(c));
      const reference = withReference(() => everything(c));
      for (const [name, t] of Object.entries(reference)) expect(relativeError(result[name]!.dataSync(), t.dataSync()), name).toBeLessThan(2e-6 * Math.sqrt(c.H) + 5e-6);
      for (const kernel of ["recurrent", "recurrentGrad", "gemm"]) expect(kernels).toContain(`${kernel}_${engine.isa}`);
      expect(kernels.filter((k) => k.startsWith("reference:recurrent"))).toEqual([]);
    });
  });

  it("gives the same bits with 1, 2 and 3 threads", () => {
    const { threads } = engine;
    const runs = [1, 2, 3].map((n) => {
      engine.setThreads(n);
      return withEngine(engine, () => Object.values(everything({ cell: "lstm", T: 5, B: 67, I: 20, H: 70, states: true, lengths: true })).map((t) => t.dataSync()));
    });
    engine.setThreads(threads);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });
});

describe("recurrent refuses", () => {
  const { x, weightIh, weightHh } = operands({ cell: "gru", T: 2, B: 3, I: 4, H: 5 });
  const run = (more: object, cell: Cell = "gru") => ops.recurrent({ x, weightIh, weightHh, ...more }, { cell, reverse: false });
  test("weights of another cell", () => {
    expect(() => run({}, "lstm")).toThrowErrorMatchingInlineSnapshot(`[ShapeError: recurrent: weightHh must be [20,5] for cell lstm with input f32[2,3,4] and H = 5, got f32[15,5]]`);
  });
  test("one sequence without a batch", () => {
    expect(() => run({ x: x.at(0) })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: recurrent: input must be [T,B,I], got f32[3,4]
        hint: one sequence alone? add a batch dimension: unsqueeze(1)]
    `);
  });
  test("a cell state for a cell that has none", () => {
    expect(() => run({ c0: randn([3, 5]) })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: recurrent: cell gru has no second state: leave c0 out]`);
  });
  test("lengths that are no whole numbers, or beyond the steps", () => {
    expect(() => run({ lengths: tensor([1, 2, 2]) })).toThrowErrorMatchingInlineSnapshot(`
      [DTypeError: recurrent: lengths must be i32, got f32[3]
        hint: lengths.cast("i32")]
    `);
    expect(() => run({ lengths: tensor([1, 3, 2], { dtype: "i32" }) })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: recurrent: length 3 of sequence 1 is not within 0 … 2
        hint: lengths count steps of the padded input]
    `);
    expect(() => withReference(() => run({ lengths: tensor([-1, 1, 2], { dtype: "i32" }) }))).toThrow("length -1 of sequence 0");
  });
  test("an unknown cell", () => {
    expect(() => run({}, "elman" as Cell)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: recurrent: there is no cell "elman"
        hint: one of lstm, gru, tanh, relu]
    `);
  });
});
