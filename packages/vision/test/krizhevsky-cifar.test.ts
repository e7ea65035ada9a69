import { Conv2d } from "@nn/layers";
import { manualSeed, noGrad, randn, ShapeError, type Tensor } from "@nn/tensor";
import { summary } from "@nn/train";
import { KrizhevskyCifar, LocallyConnected2d } from "@nn/vision";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));

describe("LocallyConnected2d", () => {
  it("is a convolution where all places have the same filters, and only there", () => {
    const conv = new Conv2d(3, 4, 3, { padding: 1 }), local = new LocallyConnected2d(3, 4, 3, [5, 6], { padding: 1 });
    const shared = conv.weight.dataSync();
    local.weight.write(Array.from({ length: 30 }, () => [...shared]).flat());
    local.bias.write([...conv.bias!.dataSync()].flatMap((b) => Array<number>(30).fill(b)));
    const x = randn([2, 3, 5, 6]);
    const [expected, before] = noGrad(() => [conv.call(x).dataSync().slice(), local.call(x).dataSync().slice()]);
    before.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 5));
    // Another filter for the last place, of unit 0 alone.
    const weights = local.weight.dataSync().slice();
    weights.fill(0, 29 * 4 * 27, 29 * 4 * 27 + 27);
    local.weight.write(weights);
    const after = noGrad(() => local.call(x).dataSync());
    expect([...after].flatMap((v, i) => (v === before[i] ? [] : [i]))).toEqual([29, 29 + 120]);
    expect(after[29]).toBeCloseTo(local.bias.dataSync()[29]!, 6);
  });

  it("gives each place the gradient of its own filters: together that of the convolution", () => {
    const conv = new Conv2d(3, 4, 3, { padding: 1 }), local = new LocallyConnected2d(3, 4, 3, [5, 6], { padding: 1 });
    const shared = conv.weight.dataSync();
    local.weight.write(Array.from({ length: 30 }, () => [...shared]).flat());
    local.bias.write([...conv.bias!.dataSync()].flatMap((b) => Array<number>(30).fill(b)));
    const values = randn([2, 3, 5, 6]), dy = randn([2, 4, 5, 6]);
    const [a, b] = [values.detach().requireGrad(), values.detach().requireGrad()];
    conv.call(a).mul(dy).sum().backward();
    local.call(b).mul(dy).sum().backward();
    const close = (actual: Tensor, expected: Tensor) => expect(actual.sub(expected).abs().max().item()).toBeLessThan(1e-5);
    close(b.grad!, a.grad!);
    close(local.weight.grad!.sum(0).reshape([4, 3, 3, 3]), conv.weight.grad!);
    close(local.bias.grad!.sum([1, 2]), conv.bias!.grad!);
  });

  it("says which maps it reads", () => {
    const local = new LocallyConnected2d(3, 4, 3, [6, 6], { padding: 1 });
    expect(() => local.call(randn([2, 3, 6, 7]))).toThrow("expected [N,3,6,6], got [2,3,6,7]");
    expect(() => new LocallyConnected2d(3, 4, 5, [3, 3])).toThrow(ShapeError);
  });
});

it("KrizhevskyCifar has the layers and the number of weights of the authors'", () => {
  const model = new KrizhevskyCifar();
  const { rows } = summary(model, [1, 3, 24, 24]);
  expect(rows.filter((r) => !r.layer.startsWith("ReLU")).map((r) => [r.output.slice(1).join("×"), r.parameters])).toEqual([
    ["64×24×24", 4864], ["64×12×12", 0], ["64×12×12", 0],
    ["64×12×12", 102_464], ["64×12×12", 0], ["64×6×6", 0],
    ["64×6×6", 1_329_408], ["32×6×6", 664_704], ["1152", 0], ["10", 11_530],
  ]); // prettier-ignore
  expect(model.parameterCount()).toBe(2_112_970);
});
