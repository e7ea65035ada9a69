import { conv2d, getEngine, manualSeed, noGrad, randn, tensor, trace, type Tensor } from "@nn/tensor";
import { AdaptiveAvgPool2d, AvgPool2d, Conv2d, Dropout, Flatten, GELU, LeakyReLU, Linear, MaxPool2d, Module, ReLU, Sequential, SiLU, Sigmoid, Tanh, buffer, init, sequential } from "@nn/layers";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));

class Net extends Module {
  readonly features = new Sequential(new Conv2d(1, 4, 3, { padding: 1 }), new ReLU(), new MaxPool2d(2));
  readonly heads = [new Linear(4 * 3 * 3, 2), new Linear(4 * 3 * 3, 3, { bias: false })];
  readonly seen = buffer(tensor([0]));
  forward(x: Tensor): Tensor {
    const h = this.features.call(x).flatten(1);
    return this.heads[0]!.call(h as never);
  }
}

describe("Module", () => {
  it("names parameters and buffers by their properties, as PyTorch", () => {
    expect([...new Net().stateDict()].map(([name, t]) => `${name} [${t.shape.join(",")}]`)).toEqual([
      "features.0.weight [4,1,3,3]",
      "features.0.bias [4]",
      "heads.0.weight [2,36]",
      "heads.0.bias [2]",
      "heads.1.weight [3,36]",
      "seen [1]",
    ]);
  });

  it("lists a shared parameter once", () => {
    const linear = new Linear(2, 2);
    expect(sequential(linear, new ReLU(), linear).parameters().length).toBe(2);
  });

  it("prints its structure", () => {
    expect(String(new Net())).toMatchInlineSnapshot(`
      "Net(
        (features): Sequential(
          (0): Conv2d(1, 4, kernelSize=3, padding=1)
          (1): ReLU()
          (2): MaxPool2d(kernelSize=2)
        )
        (heads.0): Linear(36, 2)
        (heads.1): Linear(36, 3, bias=false)
      )"
    `);
  });

  it("names the module in shape errors, however deep", () => {
    const net = new Net();
    expect(() => net.call(randn([2, 3, 6, 6]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: conv2d 'features.0': expected f32[N,1,H,W], got f32[2,3,6,6]
        hint: weight [4,1,3,3] reads 1 channels; images are [N,C,H,W]]
    `);
    expect(() => net.call(randn([2, 1, 8, 8]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: linear 'heads.0': expected f32[…,36], got f32[2,64]
        hint: weight [2,36] is [out, in]]
    `);
  });

  it("names it the same after a part was called alone, and from the part's own view then", () => {
    const net = new Net();
    const wrong = randn([2, 3, 6, 6]) as never;
    expect(() => net.features.call(wrong)).toThrow("conv2d '0'");
    expect(() => net.call(wrong)).toThrow("conv2d 'features.0'");
    expect(() => net.features[0]!.call(wrong)).toThrow("conv2d: expected");
    expect(() => net.call(wrong)).toThrow("conv2d 'features.0'");
  });

  it("names a module that stands in no property by itself", () => {
    const hidden = [[new Linear(2, 2)]];
    class Outer extends Module {
      forward(x: Tensor): Tensor {
        return hidden[0]![0]!.call(x as Tensor<[number, 2]>);
      }
    }
    expect(() => new Outer().call(randn([1, 3]) as Tensor)).toThrow("linear: expected");
  });

  it("switches every part between training and evaluation", () => {
    const net = sequential(new Dropout(0.5), sequential(new Dropout(0.5)));
    net.eval();
    expect([...net.namedModules()].every(([, m]) => !m.training)).toBe(true);
  });

  it("loads values by name, and tells near misses", () => {
    const [a, b] = [new Net(), new Net()];
    expect(b.loadStateDict(a.stateDict())).toEqual({ missing: [], unexpected: [], mismatched: [] });
    expect(b.features[0]!.parameters()[0]!.toArray()).toEqual(a.features[0]!.parameters()[0]!.toArray());
    const renamed = new Map([...a.stateDict()].map(([name, t]) => [name.replace("heads.0.weight", "head.0.weight"), t]));
    expect(() => b.loadStateDict(renamed)).toThrowErrorMatchingInlineSnapshot(`
      [StateDictError: state dict does not fit: missing: heads.0.weight; unexpected: head.0.weight
        hint: 'head.0.weight' looks like 'heads.0.weight']
    `);
    const wrapped = new Map([...a.stateDict()].map(([name, t]) => [`module.${name}`, t]));
    expect(() => b.loadStateDict(wrapped)).toThrow("hint: the state has them under 'module.': pass names.slice(7)");
    const other = new Map([...a.stateDict()].map(([name, t]) => [name.replace("heads.", "tops."), t]));
    expect(() => b.loadStateDict(other)).toThrow("hint: 'tops.0.weight' looks like 'heads.0.weight'");
    expect(() => new Linear(2, 3).loadStateDict(new Linear(3, 2).stateDict())).toThrowErrorMatchingInlineSnapshot(`
      [StateDictError: state dict does not fit: mismatched: weight: model [3,2], state [2,3], bias: model [3], state [2]
        hint: make the model with the sizes it was saved with]
    `);
  });

  it("frees gradients", () => {
    const layer = new Linear(2, 2);
    layer.call(randn([1, 2])).sum().backward();
    expect(layer.weight.grad).not.toBeNull();
    layer.zeroGrad();
    expect(layer.weight.grad).toBeNull();
  });
});

describe("Sequential", () => {
  it("fuses ReLU into the layer before it, with the same result", () => {
    const net = sequential(new Conv2d(2, 8, 3), new ReLU(), new Flatten(), new Linear(8 * 4 * 4, 5), new Tanh());
    const x = randn([3, 2, 6, 6]);
    const { result, kernels } = trace(() => net.call(x));
    let plain: Tensor = x;
    for (const m of net) plain = (m.call as (t: Tensor) => Tensor)(plain);
    const [fused, apart] = [result.dataSync(), plain.dataSync()];
    for (let i = 0; i < fused.length; i++) expect(fused[i]).toBeCloseTo(apart[i]!, 6);
    expect(kernels.filter((k) => k.startsWith("map")).length).toBe(0);
  });
  it("gives the same gradients fused and apart", () => {
    const net = sequential(new Linear(3, 4), new Sigmoid(), new Linear(4, 2), new Tanh());
    const x = randn([5, 3]);
    net.call(x).square().sum().backward();
    const fused = net.parameters().map((p) => [...p.grad!.dataSync()]);
    net.zeroGrad();
    let y: Tensor = x;
    for (const m of net) y = (m.call as (t: Tensor) => Tensor)(y);
    y.square().sum().backward();
    net.parameters().forEach((p, i) => p.grad!.dataSync().forEach((g, j) => expect(g).toBeCloseTo(fused[i]![j]!, 5)));
  });
});

describe("ReLU before max pooling", () => {
  const net = sequential(new Conv2d(2, 5, 3, { padding: 1 }), new ReLU(), new MaxPool2d(3, { stride: 2 }), new Conv2d(5, 3, 2));
  const draw = () => randn([3, 2, 9, 8], { seed: 4 });
  const apart = (x: Tensor): Tensor => [...net].reduce((y, m) => (m.call as (t: Tensor) => Tensor)(y), x);
  const gradients = (f: (x: Tensor) => Tensor) => {
    const x = draw().requireGrad();
    f(x).square().sum().backward();
    const all = [x.grad!, ...net.parameters().map((p) => p.grad!)].map((g) => [...g.dataSync()]);
    net.zeroGrad();
    return all;
  };

  it("moves behind it: same result, same gradients", () => {
    expect([...net.call(draw()).dataSync()]).toEqual([...apart(draw()).dataSync()]);
    expect(gradients((x) => net.call(x))).toEqual(gradients(apart));
    const bare = sequential(new ReLU(), new MaxPool2d(2));
    expect([...bare.call(draw()).dataSync()]).toEqual([...new MaxPool2d(2).call(draw().relu()).dataSync()]);
  });

  it("costs no pass of its own, forward or backward, the image is copied to channels-last order once, and biases get their gradient with the weights", () => {
    const { kernels } = trace(() => {
      const y = net.call(draw());
      y.backward({ gradient: y.detach() });
    });
    const passes = kernels.map((k) => k.split("_")[0]!).filter((k) => k !== "random");
    expect(passes).toEqual([
      "copy", "conv2d", "maxPool2d", "conv2d",
      "conv2dInputGrad", "conv2dWeightGrad", "maxPool2dGrad", "conv2dWeightGrad",
    ]);
    net.zeroGrad();
  });

  it("gives a bias the sums of dy, with the weight's gradient or alone", () => {
    const layer = new Conv2d(3, 7, 3);
    const [x, gradient] = [randn([2, 3, 6, 5]), randn([2, 7, 4, 3])];
    layer.call(x).backward({ gradient });
    const together = [...layer.bias!.grad!.dataSync()];
    layer.zeroGrad();
    conv2d(x, layer.weight.detach(), { bias: layer.bias }).backward({ gradient });
    expect(layer.weight.grad).toBeNull();
    const sums = gradient.sum([0, 2, 3]).dataSync();
    [...layer.bias!.grad!.dataSync()].forEach((g, i) => expect(g).toBeCloseTo(sums[i]!, 5));
    together.forEach((g, i) => expect(g).toBeCloseTo(sums[i]!, 5));
  });

  it("lets go of the full image at once", () => {
    const [conv, pool] = [new Conv2d(2, 64, 3, { padding: 1 }), new MaxPool2d(3, { stride: 2 })];
    const x = randn([1, 2, 32, 32]);
    const before = getEngine().memory.inUse;
    const y = sequential(conv, new ReLU(), pool).call(x);
    expect(y.requiresGrad).toBe(true);
    expect(getEngine().memory.inUse - before).toBeLessThan((4 * 64 * 32 * 32) / 2);
  });
});

describe("layers", () => {
  it("have PyTorch's default initialisation bounds", () => {
    const { weight, bias } = new Linear(64, 32);
    const bound = 1 / Math.sqrt(64);
    for (const p of [weight, bias!]) expect(p.dataSync().every((v) => Math.abs(v) <= bound)).toBe(true);
    expect(Math.max(...weight.dataSync())).toBeGreaterThan(0.9 * bound);
  });

  it("dropout keeps the mean, is off in evaluation, and differs from call to call", () => {
    const layer = new Dropout(0.25);
    const x = tensor(new Float32Array(20_000).fill(1));
    const [a, b] = [layer.call(x), layer.call(x)];
    expect(a.mean().item()).toBeCloseTo(1, 1);
    expect(new Set(a.dataSync()).size).toBe(2);
    expect([...a.dataSync()]).not.toEqual([...b.dataSync()]);
    expect(layer.eval().call(x)).toBe(x);
    expect(() => new Dropout(1.5)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Dropout: probability 1.5 is not in [0, 1]]`);
  });

  it("flatten restores C, H, W order of channels-last results", () => {
    const x = randn([2, 3, 5, 5]);
    const y = new Conv2d(3, 4, 1).call(x);
    expect([...new Flatten().call(y).dataSync()]).toEqual([...y.dataSync()]);
  });

  it("pools and activations run as modules", () => {
    const x = randn([1, 2, 6, 6]);
    const net = sequential(new AvgPool2d(2), new GELU(), new SiLU(), new LeakyReLU(0.1), new AdaptiveAvgPool2d(1));
    expect(noGrad(() => net.call(x)).shape).toEqual([1, 2, 1, 1]);
  });

  it("refuses channels that do not divide into groups", () => {
    expect(() => new Conv2d(3, 4, 3, { groups: 2 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Conv2d: 3 → 4 channels do not divide into 2 groups]`);
  });
});

describe("initialisers", () => {
  const moments = (t: Tensor) => [t.mean().item(), t.std().item()];
  it.each([
    ["kaimingNormal", init.kaimingNormal(), Math.sqrt(2 / 200)],
    ["kaimingUniform", init.kaimingUniform(), Math.sqrt(2 / 200)],
    ["xavierNormal", init.xavierNormal(), Math.sqrt(2 / 300)],
    ["xavierUniform", init.xavierUniform(), Math.sqrt(2 / 300)],
    ["torchDefault", init.torchDefault, Math.sqrt(1 / 600)],
    ["truncatedNormal", init.truncatedNormal(0.1), 0.08796],
  ] as const)("%s has the published spread", (_, make, std) => {
    const [mean, spread] = moments(make([100, 200]));
    expect(Math.abs(mean!)).toBeLessThan(std * 0.03);
    expect(spread! / std).toBeCloseTo(1, 1);
  });
});
