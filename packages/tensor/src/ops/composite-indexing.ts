/** Indexing made of other ops. */
import { ShapeError } from "../errors.ts";
import { showShape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { gatherGrad, indexSelectGrad } from "./indexing.ts";
import { checkDim, show } from "./shape-rules.ts";
import { composite } from "./composite.ts";

/** x, plus `src[…, i, …]` at `index[…, i, …]` along `dim`; repeated positions add up. */
export const scatterAdd = composite("scatterAdd", (x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor => {
  if (showShape(src.shape) !== showShape(index.shape)) throw new ShapeError("scatterAdd", `src ${show(src)} and index ${show(index)} differ in shape`, { hint: "one position per value" });
  return x.add(gatherGrad({ dy: src, index }, { dim, shape: x.shape }));
});

/** x, plus whole slices of `src` at `index` along `dim`. */
export const indexAdd = composite("indexAdd", (x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor => {
  const d = checkDim("indexAdd", x, dim);
  return x.add(indexSelectGrad({ dy: src, index }, { dim: d, size: x.shape[d]! }));
});
