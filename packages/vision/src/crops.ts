import type { Module } from "@nn/layers";
import { ShapeError, noGrad, type Tensor } from "@nn/tensor";

/**
 * Scores of images seen in several windows: the log of the mean of their softmax outputs (Krizhevsky 2012: ten windows, see `tenCrop` of
 * @nn/data). Logs, so that they serve where logits do.
 *
 * @param crops [N, K, C, h, w]
 * @returns [N, classes]
 * @throws ShapeError for another number of dimensions
 */
export function averageCrops(model: Module, crops: Tensor): Tensor {
  if (crops.rank !== 5) throw new ShapeError("averageCrops", `expected crops [N,K,C,h,w], got [${crops.shape.join(",")}]`);
  const [n, k, ...image] = crops.shape as readonly [number, number, ...number[]];
  return noGrad(() => {
    const logits = (model.call as unknown as (x: Tensor) => Tensor)(crops.reshape([n * k, ...image]));
    return logits.softmax(1).reshape([n, k, logits.shape[1]!]).mean(1).log();
  });
}
