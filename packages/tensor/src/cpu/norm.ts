/** Layer norm and RMS norm on kernels that work on dense rows. */
import { scratchBytes } from "@nn/kernels";
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { contiguous, sizeOf } from "../layout.ts";
import type { NormAttrs } from "../ops/norm.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { fill } from "./copy.ts";
import { withLayouts } from "./dense.ts";
import { run, withScratch } from "./launch.ts";

const dense = (as: (x: Tensor, layout: ReturnType<typeof contiguous>) => Tensor, x: Tensor | undefined): number => (x ? pointerOf(as(x, contiguous(x.shape))) : 0);

function forward(op: string, { x, weight, bias }: { x: Tensor; weight?: Tensor; bias?: Tensor }, { normalizedShape, eps }: NormAttrs, out: { y: Aval; mean?: Aval; rstd: Aval }) {
  const make = (aval: Aval): Tensor => empty(aval, op, contiguous(aval.shape), x.backend);
  const y = make(out.y);
  const mean = out.mean && make(out.mean);
  const rstd = make(out.rstd);
  const cols = sizeOf(normalizedShape);
  withLayouts((as) =>
    run(x.backend, "layerNorm", {
      rms: mean ? 0 : 1, rows: rstd.size, cols, eps, x: dense(as, x), weight: dense(as, weight), bias: dense(as, bias),
      y: pointerOf(y), mean: mean ? pointerOf(mean) : 0, rstd: pointerOf(rstd),
    }),
  );
  return { y, mean, rstd };
}

export const layerNorm = kernel<{ x: Tensor; weight?: Tensor; bias?: Tensor }, NormAttrs, { y: Aval; mean: Aval; rstd: Aval }>((inputs, attrs, out) => {
  const { y, mean, rstd } = forward("layerNorm", inputs, attrs, out);
  return { y, mean: mean!, rstd };
});

export const rmsNorm = kernel<{ x: Tensor; weight?: Tensor }, NormAttrs, { y: Aval; rstd: Aval }>((inputs, attrs, out) => {
  const { y, rstd } = forward("rmsNorm", inputs, attrs, out);
  return { y, rstd };
});

export const normGrad = kernel<{ x: Tensor; dy: Tensor; rstd: Tensor; weight?: Tensor; mean?: Tensor }, NormAttrs, { dx: Aval; dw: Aval; db: Aval }>(
  ({ x, dy, rstd, weight, mean }, { normalizedShape }, out) => {
    const { backend } = x;
    const make = (aval: Aval): Tensor => empty(aval, "normGrad", contiguous(aval.shape), backend);
    const [dx, dw, db] = [make(out.dx), make(out.dw), make(out.db)];
    const sizes = { rows: rstd.size, cols: sizeOf(normalizedShape) };
    if (sizes.rows === 0) for (const t of [dw, db]) fill(t, 0);
    else {
      withLayouts((as) =>
        withScratch(backend, scratchBytes.layerNormGrad(sizes), (scratch) =>
          run(backend, "layerNormGrad", {
            rms: mean ? 0 : 1, ...sizes, x: dense(as, x), weight: dense(as, weight), dy: dense(as, dy), mean: dense(as, mean), rstd: dense(as, rstd),
            dx: pointerOf(dx), dw: pointerOf(dw), db: pointerOf(db), scratch,
          }),
        ),
      );
    }
    return { dx, dw, db };
  },
);
