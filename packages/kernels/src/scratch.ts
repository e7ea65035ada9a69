/**
 * Bytes of scratch memory that gemm and the convolutions need, as pure functions of sizes: the same for every engine,
 * instruction set and number of threads. 0 means that `scratch` may be absent. Mirrors the plans in cpp/gemm.hpp and cpp/conv2d-grad.hpp.
 */
import type { KernelArgs } from "./abi.gen.ts";

type Sizes<K extends keyof KernelArgs, F extends keyof KernelArgs[K]> = Pick<KernelArgs[K], F>;
type ConvSizes = Sizes<"conv2d", "c" | "oc" | "kh" | "kw" | "groups">;

const ceilDiv = (a: number, b: number) => Math.ceil(a / b);
/** Widest B panel of any instruction set (2 vectors of 16 floats). */
const panels = (n: number) => ceilDiv(n, 32) * 32;
const f32 = 4;

/** B packed (wide products), or the partial sums of k slabs (narrow products with a long k). */
function gemm({ batch, m, n, k }: Sizes<"gemm", "batch" | "m" | "n" | "k">): number {
  if (batch <= 0 || m <= 0 || n <= 0 || k <= 0) return 0;
  const narrow = (m <= 512 && 2 * m <= n) || m <= 64 || (n * k <= 32 * 1024 && m <= 4096);
  if (!narrow) return k * panels(n) * f32;
  const colGroups = ceilDiv(n, 64);
  const rowGroups = Math.max(1, Math.min(ceilDiv(m, 24), ceilDiv(8, batch * colGroups)));
  const slabs = Math.max(1, Math.min(Math.floor(k / 1024), ceilDiv(8, batch * colGroups * rowGroups)));
  return slabs > 1 ? batch * slabs * m * n * f32 : 0;
}

const isDepthwise = ({ c, oc, kh, kw, groups }: ConvSizes) => groups > 1 && c === groups && oc === groups && kh * kw <= 256;

type Window = Sizes<"conv2d", "n" | "strideH" | "strideW" | "dilationH" | "dilationW">;

/** 2×2 tiles of an output where cpp/winograd.hpp takes the convolution over, else 0. */
function winogradTiles({ n, c, oc, kh, kw, groups, strideH, strideW, dilationH, dilationW }: ConvSizes & Window, outH: number, outW: number): number {
  if (kh !== 3 || kw !== 3 || strideH !== 1 || strideW !== 1 || dilationH !== 1 || dilationW !== 1 || groups !== 1) return 0;
  const perImage = ceilDiv(outH, 2) * ceilDiv(outW, 2);
  return c >= 64 && oc >= 64 && n * perImage >= 512 && 4 * perImage * 3 <= outH * outW * 4 ? n * perImage : 0;
}

/** The transformed filter, and one group of transformed tiles and of their products. */
function winograd(tiles: number, k: number, m: number): number {
  const group = Math.min(tiles, Math.max(64, Math.floor(65536 / k)));
  return 16 * (k * panels(m) + group * (ceilDiv(k, 16) * 16 + 16 + panels(m) + 16)) * f32;
}

/** One group's filter, packed (depthwise: the whole filter). */
function conv2d(sizes: ConvSizes & Window & Sizes<"conv2d", "oh" | "ow">): number {
  const { c, oc, kh, kw, groups } = sizes;
  if (isDepthwise(sizes)) return kh * kw * panels(c) * f32;
  const tiles = winogradTiles(sizes, sizes.oh, sizes.ow);
  if (tiles > 0) return winograd(tiles, c, oc);
  return (c / groups) * kh * kw * panels(oc / groups) * f32;
}

/** One group's filter, packed the other way round. */
function conv2dInputGrad(sizes: ConvSizes & Window & Sizes<"conv2d", "h" | "w">): number {
  const { c, oc, kh, kw, groups } = sizes;
  if (isDepthwise(sizes)) return kh * kw * panels(c) * f32;
  const tiles = winogradTiles(sizes, sizes.h, sizes.w);
  if (tiles > 0) return winograd(tiles, oc, c);
  return (oc / groups) * kh * kw * panels(c / groups) * f32;
}

/** Partial sums of one group's dW (and db) per slab of pixels, and the part of dy that is packed at a time. */
function conv2dWeightGrad({ n, oh, ow, c, oc, kh, kw, groups }: ConvSizes & Sizes<"conv2d", "n" | "oh" | "ow">): number {
  if (isDepthwise({ c, oc, kh, kw, groups })) return Math.max(1, Math.min(32, Math.floor((n * oh) / 8))) * (kh * kw + 1) * c * f32;
  const rows = (c / groups) * kh * kw + 1, cols = panels(oc / groups);
  if (cols === 0) return 0;
  const slabs = Math.max(1, Math.min(ceilDiv(16, ceilDiv(rows, 84)), Math.floor((n * oh * ow) / 512)));
  const step = 256 * Math.max(1, Math.floor(2048 / (slabs * cols)));
  return slabs * (rows + step) * cols * f32;
}

export const scratchBytes = { gemm, conv2d, conv2dInputGrad, conv2dWeightGrad } as const;
