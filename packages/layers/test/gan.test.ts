/** The adversarial losses of Goodfellow 2014, with their worked numbers. */
import { gradcheck, gradgradcheck } from "@nn/autograd";
import { Linear } from "@nn/layers";
import { gradientDescent } from "@nn/layers/classic";
import { discriminatorLoss, generatorLoss } from "@nn/layers/gan";
import { SGD } from "@nn/optim";
import { manualSeed, randn, tensor, zeros, type Tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";

const f64 = (values: number[]): Tensor => tensor(values, { dtype: "f64" }) as Tensor;
const logit = (p: number): Tensor => f64([Math.log(p / (1 - p))]);

describe("worked numbers", () => {
  it("D(real) = .8, D(fake) = .3", () => {
    const [real, fake] = [logit(0.8), logit(0.3)];
    expect(discriminatorLoss(real, fake).item()).toBeCloseTo(0.5798184953, 10);
    expect(generatorLoss(fake, { saturating: true }).item()).toBeCloseTo(-0.3566749439, 10);
    expect(generatorLoss(fake).item()).toBeCloseTo(1.2039728043, 10);
  });
  it("at equilibrium, D ≡ ½, the discriminator's loss is 2·log 2: the game's value is −log 4", () => {
    const half = zeros([7], { dtype: "f64" }) as Tensor;
    expect(discriminatorLoss(half, half).item()).toBeCloseTo(1.3862943611, 10);
    expect(-discriminatorLoss(half, half).item()).toBeCloseTo(-Math.log(4), 14);
  });
});

describe("the best discriminator is p_d/(p_d + p_g)", () => {
  /** The middle of each of `n` equally likely parts of N(mean, 1), by bisection of its distribution function. */
  const quantiles = (mean: number, n: number): Tensor => {
    const below = (x: number): number => (1 + f64([x / Math.SQRT2]).erf().item()) / 2;
    const at = (p: number): number => {
      let [low, high] = [-8, 8];
      while (high - low > 1e-10) {
        const middle = (low + high) / 2;
        if (below(middle) < p) low = middle;
        else high = middle;
      }
      return mean + low;
    };
    return f64(Array.from({ length: n }, (_, i) => at((i + 0.5) / n)));
  };

  it("of N(−1, 1) and N(1, 1) its logit is log p_d − log p_g = −2x: where training ends", () => {
    const [real, fake] = [quantiles(-1, 400), quantiles(1, 400)];
    const logits = (x: Tensor, p: Tensor): Tensor => x.mul(p.at(0)).add(p.at(1));
    const { x: found, stop } = gradientDescent((p) => discriminatorLoss(logits(real, p), logits(fake, p)), f64([0, 0]), { rate: 1, gradTol: 1e-8, maxIter: 5000 });
    expect(stop).toBe("gradTol");
    const [slope, offset] = found.dataSync();
    expect(slope).toBeCloseTo(-2, 1);
    expect(offset).toBeCloseTo(0, 8);
    for (const x of [-2, -0.3, 0, 1]) {
      const density = (mean: number): number => Math.exp(-((x - mean) ** 2) / 2);
      expect(logits(f64([x]), found).sigmoid().item()).toBeCloseTo(density(-1) / (density(-1) + density(1)), 2);
    }
  });
});

describe("players", () => {
  it("have right gradients, and are finite at ±10⁴", () => {
    const [real, fake] = [randn([6], { dtype: "f64", seed: 1 }) as Tensor, randn([6], { dtype: "f64", seed: 2 }) as Tensor];
    for (const check of [gradcheck, gradgradcheck]) {
      check((a, b) => discriminatorLoss(a!, b!), [real, fake]);
      for (const saturating of [true, false]) check((z) => generatorLoss(z!, { saturating }), [fake]);
    }
    for (const z of [1e4, -1e4]) {
      const leaf = tensor([z]).requireGrad();
      const loss = discriminatorLoss(leaf, leaf).add(generatorLoss(leaf)).add(generatorLoss(leaf, { saturating: true }));
      loss.backward();
      expect([loss.item(), leaf.grad!.item()].every(Number.isFinite)).toBe(true);
    }
  });

  it("the saturating form has no slope where the discriminator wins, the default has", () => {
    const slope = (saturating: boolean): number => {
      const z = f64([-20]).requireGrad();
      generatorLoss(z, { saturating }).backward();
      return z.grad!.item();
    };
    expect(Math.abs(slope(true))).toBeLessThan(1e-8);
    expect(slope(false)).toBeCloseTo(-1, 8);
  });

  it("each step moves one player's weights only", () => {
    manualSeed(3);
    const [generator, discriminator] = [new Linear(2, 1), new Linear(1, 1)];
    const [forG, forD] = [generator, discriminator].map((m) => new SGD(m.parameters(), { lr: 0.1 }));
    const weights = (): number[][] => [generator, discriminator].map((m) => m.parameters().flatMap((p) => [...p.dataSync()]));
    const [z, x] = [randn([8, 2]) as Tensor<[8, 2]>, randn([8, 1]) as Tensor<[8, 1]>];

    const [g0, d0] = weights();
    discriminatorLoss(discriminator.call(x), discriminator.call(generator.call(z).detach())).backward();
    forD!.step();
    const [g1, d1] = weights();
    expect(g1).toEqual(g0);
    expect(d1).not.toEqual(d0);

    generatorLoss(discriminator.call(generator.call(z))).backward();
    forG!.step();
    const [g2, d2] = weights();
    expect(g2).not.toEqual(g1);
    expect(d2).toEqual(d1);
  });
});
