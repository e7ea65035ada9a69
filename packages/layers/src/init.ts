/** Initialisers: `init(shape) → Tensor`. Each draws from the next stream of the global seed (`manualSeed`). */
import { ArgumentError, Random, full, nextStream, rand, randn, runOver, tensor, traceProgram, zeros, type Shape, type Tensor } from "@nn/tensor";

export type Initializer = (shape: Shape) => Tensor;

/** Inputs and outputs of one unit: `[out, in]` or `[out, in, kH, kW]`. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const field = shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: (shape[1] ?? 1) * field, fanOut: (shape[0] ?? 1) * field };
}

let line: ReturnType<typeof traceProgram> | null = null; // made when first needed: a page has no engine while it loads
/** `a·x + b` in the memory of x, so that a large layer is initialised in no more than its own. */
function affine(x: Tensor, a: number, b: number): Tensor {
  line ??= traceProgram("affine", 1, 2, ([t], [scale, shift]) => [t!.mul(scale!).add(shift!)]);
  if (x.size > 0) runOver(x.backend, line, [{ inputs: [x], outputs: [x] }], [a, b], "init");
  return x;
}
/** U(−bound, bound). */
export const uniform = (bound: number): Initializer => (shape) => affine(rand(shape), 2 * bound, -bound);
/** N(mean, std²). */
export const normal = (std = 1, mean = 0): Initializer => (shape) => affine(randn(shape), std, mean);
/** N(mean, std²) conditioned on |z − mean| ≤ cut·std: values outside are drawn again. */
export const truncatedNormal = (std = 1, { mean = 0, cut = 2 }: { mean?: number; cut?: number } = {}): Initializer => (shape) => {
  const { seed, stream } = nextStream();
  const random = new Random(seed, stream);
  const draw = (i: number): number => {
    // Each element has 64 draws of its own; that all of them fall outside ±2 has probability 10⁻⁸⁶.
    for (let k = 0; k < 64; k++) {
      const z = random.normal(64 * i + k);
      if (Math.abs(z) <= cut) return mean + z * std;
    }
    return mean;
  };
  return tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => draw(i)), { shape });
};
export const constant = (value: number): Initializer => (shape) => full(shape, value);
export const zero: Initializer = (shape) => zeros(shape);
export const one: Initializer = (shape) => full(shape, 1);
/** gain on the diagonal, 0 beside it: `[n, m]` (Le 2015 starts recurrent weights so). */
export const identity = (gain = 1): Initializer => (shape) => {
  if (shape.length !== 2) throw new ArgumentError("identity", `needs a matrix, got [${shape.join(",")}]`);
  return tensor(Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => (Math.floor(i / shape[1]!) === i % shape[1]! ? gain : 0)), { shape });
};
export { orthogonal } from "./init-orthogonal.ts";

export interface KaimingOptions {
  /** Slope for x < 0 of the activation that follows: 0 for ReLU, PReLU's 0.25. */
  a?: number;
  /** "fanIn" (default) keeps the size of activations on the way forward, "fanOut" of gradients on the way back. */
  mode?: "fanIn" | "fanOut";
}
/** Var = 2/((1+a²)·fan) as a standard deviation. */
const kaimingStd = (shape: Shape, { a = 0, mode = "fanIn" }: KaimingOptions): number => Math.sqrt(2 / ((1 + a * a) * fans(shape)[mode]));

/** U(±√(6/((1+a²)·fan_in))) (He 2015, "Delving Deep into Rectifiers"). PyTorch's layers use a = √5: U(±1/√fan_in). */
export const kaimingUniform = (options: KaimingOptions = {}): Initializer => (shape) => uniform(Math.sqrt(3) * kaimingStd(shape, options))(shape);
/** N(0, 2/((1+a²)·fan_in)) (He 2015). */
export const kaimingNormal = (options: KaimingOptions = {}): Initializer => (shape) => normal(kaimingStd(shape, options))(shape);
/** U(±√(3/fan_in)) (LeCun 1998, "Efficient BackProp"). */
export const lecunUniform = (): Initializer => (shape) => uniform(Math.sqrt(3 / fans(shape).fanIn))(shape);
/** N(0, 1/fan_in) (LeCun 1998), what SELU asks for. */
export const lecunNormal = (): Initializer => (shape) => normal(Math.sqrt(1 / fans(shape).fanIn))(shape);
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
