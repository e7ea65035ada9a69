/**
 * Bytes of scratch memory that gemm, the convolutions, the recurrent layers and layerNormGrad need, as pure functions of sizes: the same for every
 * engine, instruction set and number of threads. 0 means that `scratch` may be absent. Mirrors the plans in cpp/gemm.hpp, cpp/winograd.hpp,
 * cpp/winograd-grad.hpp, cpp/conv2d-grad.hpp, cpp/recurrent.hpp and cpp/norm.hpp.
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

/** Tiles of results [outH, outW] of m channels, summed over k, where cpp/winograd.hpp takes the convolution over; else 0. */
function winogradTiles(sizes: ConvSizes & Window, k: number, m: number, outH: number, outW: number, fewest: number): number {
  const { n, kh, kw, groups, strideH, strideW, dilationH, dilationW } = sizes;
  const taps = ceilDiv(kh, strideH), blockChannels = strideH * strideH * k;
  if (kh !== kw || strideW !== strideH || dilationH !== 1 || dilationW !== 1 || groups !== 1 || (taps !== 3 && taps !== 5)) return 0;
  if (strideH > 1 && blockChannels > 64) return 0;
  const perImage = ceilDiv(outH, 8 - taps) * ceilDiv(outW, 8 - taps);
  return blockChannels >= 16 && m >= 4 && n * perImage >= fewest && 3 * perImage * 49 * strideH ** 2 <= 2 * outH * outW * kh * kh ? n * perImage : 0;
}
const tileRow = (channels: number) => panels(channels) + 16;
const tileGroup = (tiles: number) => ceilDiv(tiles, ceilDiv(tiles, 96));

const goesByPanels = (tiles: number, m: number) => tiles <= 96 && m >= 256;
const fewestTiles = (m: number) => (goesByPanels(9, m) ? 9 : 16);

/** A pixel of zeros, one group of transformed tiles, their products, and the transformed filter, whole or 64 channels of every panel. */
function winograd(tiles: number, k: number, m: number): number {
  const tileRows = tileRow(k) + 49 * tileGroup(tiles) * tileRow(k);
  if (goesByPanels(tiles, m)) return (tileRows + 49 * (tiles + Math.min(k, 64) + 1) * panels(m)) * f32;
  return (tileRows + 49 * (k * panels(m) + tileGroup(tiles) * tileRow(m))) * f32;
}

/** A pixel of zeros, the sums, one group of transformed tiles of x and of dy, and sums of dy per 8 tiles. */
function winogradWeightGrad(tiles: number, k: number, m: number): number {
  const group = tileGroup(tiles);
  return (tileRow(k) + 49 * (k * tileRow(m) + group * (tileRow(k) + panels(m))) + ceilDiv(group, 8) * tileRow(m)) * f32;
}

/** One group's filter, packed (depthwise: the whole filter). */
function conv2d(sizes: ConvSizes & Window & Sizes<"conv2d", "oh" | "ow">): number {
  const { c, oc, kh, kw, groups } = sizes;
  if (isDepthwise(sizes)) return kh * kw * panels(c) * f32;
  const tiles = winogradTiles(sizes, c, oc, sizes.oh, sizes.ow, fewestTiles(oc));
  if (tiles > 0) return winograd(tiles, sizes.strideH ** 2 * c, oc);
  return (c / groups) * kh * kw * panels(oc / groups) * f32;
}

/** One group's filter, packed the other way round. */
function conv2dInputGrad(sizes: ConvSizes & Window & Sizes<"conv2d", "h" | "w">): number {
  const { c, oc, kh, kw, groups } = sizes;
  if (isDepthwise(sizes)) return kh * kw * panels(c) * f32;
  const tiles = sizes.strideH === 1 ? winogradTiles(sizes, oc, c, sizes.h, sizes.w, fewestTiles(c)) : 0;
  if (tiles > 0) return winograd(tiles, oc, c);
  return (oc / groups) * kh * kw * panels(c / groups) * f32;
}

/** Partial sums of one group's dW (and db) per slab of pixels, and the part of dy that is packed at a time. */
function conv2dWeightGrad(sizes: ConvSizes & Window & Sizes<"conv2d", "oh" | "ow">): number {
  const { n, oh, ow, c, oc, kh, kw, groups } = sizes;
  if (isDepthwise(sizes)) return Math.max(1, Math.min(32, Math.floor((n * oh) / 8))) * (kh * kw + 1) * c * f32;
  const tiles = winogradTiles(sizes, c, oc, oh, ow, 16);
  if (tiles > 0) return winogradWeightGrad(tiles, sizes.strideH ** 2 * c, oc);
  const rows = (c / groups) * kh * kw + 1, cols = panels(oc / groups);
  if (cols === 0) return 0;
  const slabs = Math.max(1, Math.min(ceilDiv(16, ceilDiv(rows, 84)), Math.floor((n * oh * ow) / 512)));
  const step = 256 * Math.max(1, Math.floor(2048 / (slabs * cols)));
  return slabs * (rows + step) * cols * f32;
}

type Sequences = Sizes<"recurrent", "cell" | "batch" | "hidden">;
const cellGates = [4, 3, 1, 1];

/** W_hh packed, and the states of every row. */
function recurrent({ cell, batch, hidden }: Sequences): number {
  return (hidden * panels(cellGates[cell]! * hidden + 32) + batch * (hidden + 16)) * f32;
}

/** W_hh packed the other way round, and the gate gradients of every row. */
function recurrentGrad({ cell, batch, hidden }: Sequences): number {
  const gates = cellGates[cell]! * hidden;
  return (gates * panels(hidden) + batch * (gates + hidden + 16)) * f32;
}

/** Two lines of partial sums for each of two results, per slab of rows. */
function sumsOfRows({ rows, cols }: Sizes<"layerNormGrad", "rows" | "cols">): number {
  return Math.max(1, Math.min(32, rows, ceilDiv(rows * cols, 16384))) * 4 * cols * f32;
}

export const scratchBytes = { gemm, conv2d, conv2dInputGrad, conv2dWeightGrad, recurrent, recurrentGrad, layerNormGrad: sumsOfRows, channelSums: sumsOfRows } as const;
