/** Losses of generative adversarial nets (Goodfellow 2014), from the discriminator's logits: D = σ(logits), stable at any size. */
import { scope, type Tensor } from "@nn/tensor";

/** −mean log D(x) − mean log(1 − D(G(z))): what the discriminator lowers. 2·log 2 where D cannot tell the two apart. */
export const discriminatorLoss = (real: Tensor, fake: Tensor): Tensor => scope(() => real.neg().softplus().mean().add(fake.softplus().mean()), "discriminatorLoss");

export interface GeneratorLossOptions {
  /** mean log(1 − D(G(z))), the minimax game's own: its slope vanishes while the discriminator is right. Default false: −mean log D(G(z)). */
  saturating?: boolean;
}

/** What the generator lowers. Both forms have the same equilibrium; the default keeps a gradient where the discriminator wins. */
export const generatorLoss = (fake: Tensor, { saturating = false }: GeneratorLossOptions = {}): Tensor =>
  scope(() => (saturating ? fake.softplus().neg() : fake.neg().softplus()).mean(), "generatorLoss");
