/** Initialisers: `init(shape) → Tensor`. Each draws from the next stream of the global seed (`manualSeed`). */
import { Random, full, nextStream, rand, randn, tensor, zeros, type Shape, type Tensor } from "@nn/tensor";

export type Initializer = (shape: Shape) => Tensor;

/** Inputs and outputs of one unit: `[out, in]` or `[out, in, kH, kW]`. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const field = shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: (shape[1] ?? 1) * field, fanOut: (shape[0] ?? 1) * field };
}

/** U(−bound, bound). */
export const uniform = (bound: number): Initializer => (shape) => rand(shape).mul(2 * bound).sub(bound);
/** N(mean, std²). */
export const normal = (std = 1, mean = 0): Initializer => (shape) => randn(shape).mul(std).add(mean);
/** N(0, std²) conditioned on |z| ≤ 2 std: values outside are drawn again. */
export const truncatedNormal = (std = 1): Initializer => (shape) => {
  const { seed, stream } = nextStream();
  const random = new Random(seed, stream);
  const draw = (i: number): number => {
    // Each element has 64 draws of its own; that all of them fall outside has probability 10⁻⁸⁶.
    for (let k = 0; k < 64; k++) {
      const z = random.normal(64 * i + k);
      if (Math.abs(z) <= 2) return z * std;
    }
    return 0;
  };
  return tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => draw(i)), { shape });
};
export const constant = (value: number): Initializer => (shape) => full(shape, value);
export const zero: Initializer = (shape) => zeros(shape);

/** U(±gain·√(3/fan_in)) (He 2015, "Delving Deep into Rectifiers"). PyTorch's layers use a = √5: U(±1/√fan_in). */
export const kaimingUniform = ({ a = 0 } = {}): Initializer => (shape) => uniform(Math.sqrt(6 / ((1 + a * a) * fans(shape).fanIn)))(shape);
/** N(0, 2/((1+a²)·fan_in)) (He 2015). */
export const kaimingNormal = ({ a = 0 } = {}): Initializer => (shape) => normal(Math.sqrt(2 / ((1 + a * a) * fans(shape).fanIn)))(shape);
/** U(±√(6/(fan_in+fan_out))) (Glorot 2010, "Understanding the difficulty of training deep feedforward neural networks"). */
export const xavierUniform = (gain = 1): Initializer => (shape) => {
  const { fanIn, fanOut } = fans(shape);
  return uniform(gain * Math.sqrt(6 / (fanIn + fanOut)))(shape);
};
/** N(0, 2/(fan_in+fan_out)) (Glorot 2010). */
export const xavierNormal = (gain = 1): Initializer => (shape) => {
  const { fanIn, fanOut } = fans(shape);
  return normal(gain * Math.sqrt(2 / (fanIn + fanOut)))(shape);
};
/** What PyTorch's Linear and Conv layers start from. */
export const torchDefault: Initializer = kaimingUniform({ a: Math.sqrt(5) });
