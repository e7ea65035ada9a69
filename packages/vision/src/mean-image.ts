import { Module, buffer, type Buffer } from "@nn/layers";
import { tensor, zeros, type Tensor } from "@nn/tensor";

/**
 * A model behind `(x − mean)·scale`. The mean picture is a buffer, so a file of the weights is all that a prediction needs.
 *
 *     new MeanImage(alexnet(), [3, 224, 224])
 */
export class MeanImage<M extends Module> extends Module {
  readonly mean: Buffer;
  readonly net: M;
  readonly scale: number;

  /**
   * @param shape [C, H, W] of the mean picture
   * @param options.mean its pixels; zeros by default, for a model whose state is loaded
   */
  constructor(net: M, shape: readonly [number, number, number], { mean, scale = 1 }: { mean?: Float32Array; scale?: number } = {}) {
    super();
    this.mean = buffer(mean ? tensor(mean, { shape }) : zeros(shape));
    this.net = net;
    this.scale = scale;
  }

  /** [N, C, H, W] in the units of the pixels → what the model makes of it */
  forward(x: Tensor): Tensor {
    const centred = x.sub(this.mean);
    return (this.net.call as unknown as (x: Tensor) => Tensor)(this.scale === 1 ? centred : centred.mul(this.scale));
  }

  override describe(): string {
    return `mean=[${this.mean.shape.join(",")}], scale=${this.scale}`;
  }
}
