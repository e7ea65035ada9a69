import { Module, init, param, type Parameter } from "@nn/layers";
import { ShapeError, stack, type Tensor } from "@nn/tensor";

export interface LocallyConnectedOptions {
  /** Zeros on all four sides. Default 0. */
  padding?: number;
  /** Given a matrix [units, in·k·k]: every place has units of its own. */
  init?: init.Initializer;
  initBias?: init.Initializer;
}

/**
 * A convolution whose filters are not shared: every place of the map has its own (LeCun 1989; the local layers of Krizhevsky's CIFAR-10
 * networks). Stride 1. Weight [H'·W', out, in·k·k], bias [out, H', W'].
 */
export class LocallyConnected2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly inChannels: number;
  readonly kernelSize: number;
  readonly padding: number;
  /** [H', W'] */
  readonly outSize: readonly [number, number];

  /** @param size [H, W] of the maps it reads */
  constructor(inChannels: number, outChannels: number, kernelSize: number, size: readonly [number, number], { padding = 0, init: weights = init.torchDefault, initBias = init.zero }: LocallyConnectedOptions = {}) {
    super();
    const [height, width] = size.map((n) => n + 2 * padding - kernelSize + 1) as [number, number];
    if (!(height >= 1 && width >= 1)) throw new ShapeError("LocallyConnected2d", `a window of ${kernelSize}×${kernelSize} does not fit in ${size.join("×")} with padding ${padding}`);
    const places = height * width, inputs = inChannels * kernelSize ** 2;
    this.weight = param(weights([places * outChannels, inputs]).reshape([places, outChannels, inputs]));
    this.bias = param(initBias([outChannels, height, width]));
    this.inChannels = inChannels;
    this.kernelSize = kernelSize;
    this.padding = padding;
    this.outSize = [height, width];
  }

  /** [N, in, H, W] → [N, out, H', W'] */
  forward(x: Tensor): Tensor {
    const { inChannels, kernelSize: k, padding, outSize: [h, w] } = this; // prettier-ignore
    const [n, channels, height, width] = x.shape as [number, number, number, number];
    if (x.rank !== 4 || channels !== inChannels || height + 2 * padding - k + 1 !== h || width + 2 * padding - k + 1 !== w) {
      throw new ShapeError("LocallyConnected2d", `expected [N,${inChannels},${h + k - 1 - 2 * padding},${w + k - 1 - 2 * padding}], got [${x.shape.join(",")}]`);
    }
    const border = [padding, padding] as const;
    const padded = padding === 0 ? x : x.pad([[0, 0], [0, 0], border, border]);
    // The window's pixels one by one, each for all places at once.
    const pixels = Array.from({ length: k * k }, (_, i) => padded.slice(2, Math.floor(i / k), Math.floor(i / k) + h).slice(3, i % k, (i % k) + w));
    const windows = stack(pixels, 2).permute([3, 4, 0, 1, 2]).reshape([h * w, n, inChannels * k * k]);
    const y = windows.matmul(this.weight.transpose(1, 2)); // [places, N, out]
    return y.permute([1, 2, 0]).reshape([n, y.shape[2]!, h, w]).add(this.bias);
  }

  override describe(): string {
    return `${this.inChannels}, ${this.bias.shape[0]}, kernelSize=${this.kernelSize}, padding=${this.padding}`;
  }
}
