import { gradients } from "@nn/autograd";
import { concat, manualSeed, noGrad, ops, packedSelfAttention, rand, randn, scaledDotProductAttention, setEngine, tensor, trace, type Tensor } from "@nn/tensor";
import { LayerNorm, MultiheadAttention, Parameter, RMSNorm, TransformerEncoder, TransformerEncoderLayer, param, sinusoidalPositions, type Module } from "@nn/layers";
import { lengthMask } from "@nn/layers/sequence";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));

const close = (a: Tensor, b: Tensor, within: number): void => {
  expect(a.shape).toEqual(b.shape);
  expect(a.sub(b).abs().max().item()).toBeLessThanOrEqual(within);
};
/** The module's numbers in f64, so that differences are not rounding. */
function inDouble<M extends Module>(module: M): M {
  for (const [, owner] of module.namedModules()) {
    for (const [name, p] of Object.entries(owner)) if (p instanceof Parameter) Object.assign(owner, { [name]: param(p.cast("f64") as Tensor) });
  }
  return module;
}
const double = (shape: number[], seed: number): Tensor => randn(shape, { seed }).cast("f64") as Tensor;

describe("normalisation", () => {
  it("gives rows of mean 0 and variance 1, in one kernel each way", () => {
    const layer = new LayerNorm([3, 4]);
    const x = (randn([5, 3, 4]).mul(3).add(2) as Tensor).requireGrad();
    const { result, kernels } = trace(() => layer.call(x));
    expect(kernels.map((k) => k.split("_")[0])).toEqual(["layerNorm"]);
    const rows = result.reshape([5, 12]);
    expect(rows.mean(1).abs().max().item()).toBeLessThan(1e-6);
    expect(rows.square().mean(1).sub(1).abs().max().item()).toBeLessThan(1e-4);
    const backward = trace(() => result.backward({ gradient: randn([5, 3, 4]) })).kernels;
    expect(backward.filter((k) => k.startsWith("layerNormGrad")).length).toBe(1);
    expect(backward.filter((k) => k.startsWith("reference")).length).toBe(0);
    expect([layer.weight!.grad!.shape, layer.bias!.grad!.shape]).toEqual([[3, 4], [3, 4]]);
  });
  it("RMSNorm divides by the root of the mean square", () => {
    expect(new RMSNorm(2, { eps: 0 }).call(tensor([[3, 4]])).toArray()).toEqual([[expect.closeTo(3 / Math.sqrt(12.5), 6), expect.closeTo(4 / Math.sqrt(12.5), 6)]]);
  });
  it("prints what it is, and may have no parameters", () => {
    expect([new LayerNorm(4), new LayerNorm([2, 4], { bias: false }), new RMSNorm(4, { elementwiseAffine: false })].map(String)).toEqual([
      "LayerNorm([4], eps=0.00001)", "LayerNorm([2,4], eps=0.00001, bias=false)", "RMSNorm([4], elementwiseAffine=false)",
    ]);
    expect(new LayerNorm(4, { elementwiseAffine: false }).parameters()).toEqual([]);
  });
  it("refuses other shapes", () => {
    expect(() => new LayerNorm(4).call(randn([2, 3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: layerNorm: expected f32[…,4], got f32[2,3]
        hint: normalizedShape [4] names the last dimensions]
    `);
  });
});

describe("MultiheadAttention", () => {
  it("has PyTorch's parameters and start", () => {
    const names = (m: Module) => [...m.stateDict()].map(([name, t]) => `${name} [${t.shape.join(",")}]`);
    const layer = new MultiheadAttention(8, 2);
    expect(names(layer)).toEqual(["in_proj_weight [24,8]", "in_proj_bias [24]", "out_proj.weight [8,8]", "out_proj.bias [8]"]);
    expect(names(new MultiheadAttention(8, 2, { kdim: 3, bias: false }))).toEqual(["q_proj_weight [8,8]", "k_proj_weight [8,3]", "v_proj_weight [8,8]", "out_proj.weight [8,8]"]);
    const bound = Math.sqrt(6 / 32);
    const largest = layer.in_proj_weight!.abs().max().item();
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.9 * bound);
    expect([layer.in_proj_bias!, layer.out_proj.bias!].map((t) => t.abs().sum().item())).toEqual([0, 0]);
  });

  it("projects queries, keys and values at once and copies nothing, in either order of dimensions", () => {
    for (const batchFirst of [true, false]) {
      const layer = new MultiheadAttention(8, 2, { batchFirst });
      const x = (randn([3, 5, 8]) as Tensor).requireGrad();
      const forward = trace(() => layer.call(x)[0]);
      expect(forward.kernels.map((k) => k.split("_")[0])).toEqual(["gemm", "attention", "gemm"]);
      const backward = trace(() => forward.result.backward({ gradient: randn([3, 5, 8]) })).kernels.map((k) => k.split("_")[0]);
      expect(backward.filter((k) => k === "attentionGrad").length).toBe(1);
      expect(backward.filter((k) => k === "copy" || k!.startsWith("reference"))).toEqual([]);
    }
  });

  it("gives the same by every way: packed, apart, with weights", () => {
    const layer = new MultiheadAttention(8, 2, { batchFirst: true });
    const x = randn([2, 70, 8]) as Tensor;
    const [packed] = layer.call(x);
    close(layer.call(x, x.reshape([2, 70, 8]))[0], packed, 1e-6);
    const [y, weights] = layer.call(x, x, x, { needWeights: true });
    close(y, packed, 1e-6);
    expect(weights!.sum(-1).sub(1).abs().max().item()).toBeLessThan(1e-6);
  });

  it("drops weights in training only", () => {
    const layer = new MultiheadAttention(8, 2, { batchFirst: true, dropout: 0.5 });
    const x = randn([2, 6, 8]) as Tensor;
    expect([...layer.call(x)[0].dataSync()]).not.toEqual([...layer.call(x)[0].dataSync()]);
    layer.eval();
    expect([...layer.call(x)[0].dataSync()]).toEqual([...layer.call(x)[0].dataSync()]);
  });

  it("refuses heads that do not divide the features, and other ranks", () => {
    expect(() => new MultiheadAttention(6, 4)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: MultiheadAttention: 6 features do not divide into 4 heads]`);
    expect(() => new MultiheadAttention(4, 2).call(randn([1, 2, 3, 4]) as Tensor)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: MultiheadAttention: query, key and value must have 3 dimensions each (or 2 without a batch), got [1,2,3,4], [1,2,3,4], [1,2,3,4]]`);
    expect(() => scaledDotProductAttention(randn([1, 1, 2, 4]) as Tensor, randn([1, 1, 3, 4]) as Tensor, randn([1, 1, 3, 4]) as Tensor, { mask: randn([2, 4]) as Tensor })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: attention: mask f32[2,4] does not broadcast to [batch,heads,queries,keys] = [1,1,2,3]
        hint: one mask per sequence [B,S] is mask.reshape([B, 1, 1, S])]
    `);
    expect(() => packedSelfAttention(randn([1, 2, 4]) as Tensor)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: packedSelfAttention: expected [B,T,3,H,D], got f32[1,2,4]
        hint: dimension 2 holds queries, keys and values]
    `);
  });
});

describe("masks", () => {
  it("a trained mask gets its gradient, and gives what an untrained one gives", () => {
    const [q, k, v] = [1, 2, 3].map((seed) => randn([1, 2, 4, 8], { seed }) as Tensor) as [Tensor, Tensor, Tensor];
    const mask = randn([2, 4, 4], { seed: 4 }) as Tensor;
    const fused = scaledDotProductAttention(q, k, v, { mask });
    const trained = mask.detach().requireGrad();
    const y = scaledDotProductAttention(q, k, v, { mask: trained });
    close(y, fused, 1e-6);
    const [g] = gradients(y, [trained], { gradient: randn([1, 2, 4, 8], { seed: 5 }) as Tensor });
    expect(g!.sum(-1).abs().max().item()).toBeLessThan(1e-6); // softmax does not change with a constant
    expect(g!.abs().max().item()).toBeGreaterThan(0.01);
  });

  it("a query that sees no key gives 0, with gradients that are numbers", () => {
    for (const trained of [false, true]) {
      const [q, k, v] = [1, 2, 3].map((seed) => (randn([1, 1, 2, 4], { seed }) as Tensor).requireGrad()) as [Tensor, Tensor, Tensor];
      const mask = tensor([[0, 0], [-Infinity, -Infinity]]) as Tensor;
      const y = scaledDotProductAttention(q, k, v, { mask: trained ? mask.requireGrad() : mask });
      expect(y.slice(2, 1, 2).toArray()).toEqual([[[[0, 0, 0, 0]]]]);
      for (const g of gradients(y, [q, k, v], { gradient: randn([1, 1, 2, 4], { seed: 4 }) as Tensor })) expect([...g!.dataSync()].every(Number.isFinite)).toBe(true);
    }
  });

  it("causal attention knows nothing of what follows", () => {
    const encoder = new TransformerEncoder(() => new TransformerEncoderLayer(8, 2, { dimFeedforward: 16, dropout: 0, batchFirst: true }), 2);
    const x = randn([1, 70, 8]) as Tensor;
    const changed = concat([x.slice(1, 0, 66), rand([1, 4, 8]) as Tensor], 1);
    const [a, b] = noGrad(() => [encoder.call(x, { causal: true }), encoder.call(changed, { causal: true })]);
    expect(a!.slice(1, 0, 66).toArray()).toEqual(b!.slice(1, 0, 66).toArray());
    expect(a!.slice(1, 66, 70).toArray()).not.toEqual(b!.slice(1, 66, 70).toArray());
  });

  it("padding changes nothing: each sequence of a padded batch equals the sequence alone, gradients too (f64)", () => {
    for (const normFirst of [false, true]) {
      const encoder = inDouble(new TransformerEncoder(() => new TransformerEncoderLayer(6, 2, { dimFeedforward: 7, dropout: 0, batchFirst: true, normFirst }), 2));
      const lengths = [3, 5, 1];
      const alone = lengths.map((n, i) => double([1, n, 6], i + 1).requireGrad());
      const weights = lengths.map((n, i) => double([1, n, 6], i + 11));
      const parameters = encoder.parameters();
      const single = alone.map((x, i) => {
        const y = encoder.call(x);
        return { y, g: gradients(y, [x, ...parameters], { gradient: weights[i]! }) };
      });
      for (const longest of [5, 9]) {
        const fill = (x: Tensor, value: number): Tensor => x.pad([[0, 0], [0, longest - x.shape[1]!], [0, 0]], value);
        const x = concat(alone.map((t) => fill(t.detach(), 7)), 0).requireGrad();
        const mask = lengthMask(lengths, longest).logicalNot();
        const y = encoder.call(x, { keyPaddingMask: mask });
        const dy = concat(weights.map((t) => fill(t, 0)), 0);
        const [g, ...sums] = gradients(y, [x, ...parameters], { gradient: dy });
        lengths.forEach((n, i) => {
          const part = (t: Tensor): Tensor => t.slice(0, i, i + 1).slice(1, 0, n);
          close(part(y), single[i]!.y, 1e-12);
          close(part(g!), single[i]!.g[0]!, 1e-12);
        });
        expect(sums).toHaveLength(24);
        sums.forEach((sum, k) => close(sum!, single.map((s) => s.g[k + 1]!).reduce((p, q) => p.add(q)), 1e-12));
      }
    }
  });
});

describe("padded batches of a MultiheadAttention", () => {
  const [queries, keys] = [[3, 5, 1, 4], [2, 4, 6, 1]];
  const hidden = (lengths: readonly number[], longest: number): Tensor => lengthMask(lengths, longest).logicalNot();
  const one = (t: Tensor, b: number, n: number): Tensor => t.slice(0, b, b + 1).slice(1, 0, n);
  const batch = (list: readonly Tensor[], longest: number, value: number): Tensor => concat(list.map((t) => t.pad([[0, 0], [0, longest - t.shape[1]!], [0, 0]], value)), 0);
  const drawn = (lengths: readonly number[], features: number, seed: number): Tensor[] => lengths.map((n, b) => double([1, n, features], seed + b));
  const parameterGradients = (layer: Module): Map<string, Tensor> => new Map([...layer.namedParameters()].map(([name, p]) => [name, p.grad!.detach()]));

  it.each([["self", {}], ["self, with weights", { needWeights: true }], ["cross", { kdim: 3, vdim: 3 }], ["cross, causal", { kdim: 3, vdim: 3, causal: true }]] as const)("%s: each sequence is as it would be alone, with all gradients; more padding changes nothing", (name, { kdim, vdim, ...attend }: { kdim?: number; vdim?: number; needWeights?: boolean; causal?: boolean }) => {
    const cross = name.startsWith("cross");
    const layer = inDouble(new MultiheadAttention(6, 2, { batchFirst: true, ...(kdim && { kdim }), ...(vdim && { vdim }) }));
    const [q, k, dy] = [drawn(queries, 6, 1), drawn(keys, 3, 11), drawn(queries, 6, 21)];
    const run = (x: Tensor, memory: Tensor | null, gradient: Tensor, mask: Tensor | null): { y: Tensor; dq: Tensor; dk: Tensor | null } => {
      const leaf = x.detach().requireGrad();
      const source = memory?.detach().requireGrad() ?? null;
      const [y] = source ? layer.call(leaf, source, source, { keyPaddingMask: mask, ...attend }) : layer.call(leaf, leaf, leaf, { keyPaddingMask: mask, ...attend });
      y.backward({ gradient });
      return { y, dq: leaf.grad!, dk: source?.grad ?? null };
    };
    const alone = q.map((x, b) => run(x, cross ? k[b]! : null, dy[b]!, null));
    const sums = parameterGradients(layer);
    for (const more of [0, 3]) {
      layer.zeroGrad();
      const [longest, far] = [5 + more, 6 + more];
      const { y, dq, dk } = run(batch(q, longest, 7), cross ? batch(k, far, 9) : null, batch(dy, longest, 0), cross ? hidden(keys, far) : hidden(queries, longest));
      alone.forEach((single, b) => {
        close(one(y, b, queries[b]!), single.y, 1e-12);
        close(one(dq, b, queries[b]!), single.dq, 1e-12);
        if (cross) close(one(dk!, b, keys[b]!), single.dk!, 1e-12);
      });
      expect(sums.size).toBeGreaterThan(3);
      for (const [parameter, g] of parameterGradients(layer)) close(g, sums.get(parameter)!, 1e-12);
    }
  });
});

describe("TransformerEncoder", () => {
  it("has PyTorch's names", () => {
    const encoder = new TransformerEncoder(() => new TransformerEncoderLayer(4, 2, { dimFeedforward: 8 }), 1, { norm: new LayerNorm(4) });
    expect([...encoder.stateDict().keys()]).toEqual([
      "layers.0.self_attn.in_proj_weight", "layers.0.self_attn.in_proj_bias", "layers.0.self_attn.out_proj.weight", "layers.0.self_attn.out_proj.bias",
      "layers.0.linear1.weight", "layers.0.linear1.bias", "layers.0.linear2.weight", "layers.0.linear2.bias",
      "layers.0.norm1.weight", "layers.0.norm1.bias", "layers.0.norm2.weight", "layers.0.norm2.bias", "norm.weight", "norm.bias",
    ]);
  });

  it("gives the same bits, gradients included, with 1, 2 and 3 threads", () => {
    const encoder = new TransformerEncoder(() => new TransformerEncoderLayer(32, 2, { dimFeedforward: 64, dropout: 0, batchFirst: true }), 2);
    const x = randn([4, 67, 32], { seed: 3 }) as Tensor;
    const engine = setEngine(x.backend.engine);
    const { threads } = engine;
    const runs = [1, 2, 3].map((n) => {
      engine.setThreads(n);
      encoder.zeroGrad();
      const y = encoder.call(x);
      y.square().sum().backward();
      return [y.toArray(), ...encoder.parameters().map((p) => [...p.grad!.dataSync()])];
    });
    engine.setThreads(threads);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  it("trains with dropout, GELU and normalised inputs", () => {
    const layer = new TransformerEncoderLayer(8, 2, { dimFeedforward: 16, dropout: 0.5, activation: "gelu", normFirst: true });
    const x = randn([5, 2, 8]) as Tensor;
    expect([...layer.call(x).dataSync()]).not.toEqual([...layer.call(x).dataSync()]);
    layer.call(x).square().sum().backward();
    expect(layer.parameters().every((p) => p.grad !== null)).toBe(true);
    expect([...layer.eval().call(x).dataSync()]).toEqual([...layer.call(x).dataSync()]);
  });
});

it("sinusoidal positions are sines and cosines of the position", () => {
  const p = sinusoidalPositions(3, 4).toArray() as number[][];
  expect(p[0]).toEqual([0, 1, 0, 1]);
  [Math.sin(2), Math.cos(2), Math.sin(0.02), Math.cos(0.02)].forEach((v, i) => expect(p[2]![i]).toBeCloseTo(v, 6));
  expect(sinusoidalPositions(2, 3).shape).toEqual([2, 3]);
});

it("attention as an op has what its record says", () => {
  const { y, lse } = ops.attention({ q: tensor([[[[1, 0]]]]) as Tensor, k: tensor([[[[1, 0], [0, 1]]]]) as Tensor, v: tensor([[[[1], [3]]]]) as Tensor }, { scale: 1, causal: false });
  expect(y.item()).toBeCloseTo((Math.E + 3) / (Math.E + 1), 6);
  expect(lse.item()).toBeCloseTo(Math.log(Math.E + 1), 6);
});
