import type { Dim } from "./align.ts";
import type { Graph } from "./graph.ts";
import { activated } from "./lower-products.ts";
import type { Lowering } from "./lowering.ts";

interface Windows {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  /** top, bottom, left, right */
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
}

/** ONNX has all begins before all ends. */
const pads = ([top, bottom, left, right]: Windows["padding"]): number[] => [top, left, bottom, right];
const size = (dim: Dim | undefined): number => dim as number; // only the batch may follow the batch

/** Padding behind that gives just the windows of the result: ONNX rounds down, and runtimes differ in how they round up. */
function exactly(x: readonly Dim[], y: readonly Dim[], { kernelSize, stride, padding, dilation }: Windows): Windows["padding"] {
  const behind = ([0, 1] as const).map((d) => (size(y[2 + d]) - 1) * stride[d] + (kernelSize[d] - 1) * dilation[d] + 1 - size(x[2 + d]) - padding[2 * d]!);
  return [padding[0], Math.max(0, behind[0]!), padding[2], Math.max(0, behind[1]!)];
}

/** Numbers in each window that count for the mean, for all windows along one dimension. */
function counts(windows: number, image: number, d: 0 | 1, { kernelSize, stride, padding }: Windows, countIncludePad: boolean): number[] {
  return Array.from({ length: windows }, (_, i) => {
    const start = i * stride[d] - padding[2 * d]!;
    return countIncludePad ? Math.min(start + kernelSize[d], image + padding[2 * d + 1]!) - start : Math.min(start + kernelSize[d], image) - Math.max(start, 0);
  });
}

/** Σ over neighbouring channels, as a 1×1 convolution by a band of ones. */
function channelSums(g: Graph, x: string, channels: number, before: number, behind: number): string {
  const band = new Float32Array(channels * channels);
  for (let c = 0; c < channels; c++) for (let j = Math.max(0, c - before); j <= Math.min(channels - 1, c + behind); j++) band[c * channels + j] = 1;
  return g.node("Conv", [x, g.constant(band, [channels, channels, 1, 1], "f32", "band")]);
}

export const images: Readonly<Record<string, Lowering>> = {
  conv2d(g, { inputs: { x, weight, bias }, attrs }) {
    const { stride, padding, dilation, groups } = attrs as unknown as Windows & { groups: number };
    const kernel = weight!.shape.slice(2).map(size);
    const y = g.node("Conv", [x!.name, weight!.name, ...(bias ? [bias.name] : [])], { kernel_shape: kernel, strides: stride, pads: pads(padding), dilations: dilation, group: groups });
    return activated(g, y, attrs["act"]);
  },
  maxPool2d(g, { inputs: { x }, outputs: [y], attrs }) {
    const windows = attrs as unknown as Windows;
    const pooled = g.node("MaxPool", [x!.name], { kernel_shape: windows.kernelSize, strides: windows.stride, pads: pads(exactly(x!.shape, y!.shape, windows)), dilations: windows.dilation });
    return attrs["relu"] === true ? g.node("Relu", [pooled]) : pooled;
  },
  avgPool2d(g, { inputs: { x }, outputs: [y], attrs }) {
    const windows = attrs as unknown as Windows;
    const whole = windows.kernelSize[0] * windows.kernelSize[1];
    const mean = g.node("AveragePool", [x!.name], { kernel_shape: windows.kernelSize, strides: windows.stride, pads: pads(exactly(x!.shape, y!.shape, windows)), count_include_pad: 1 });
    const [rows, cols] = ([0, 1] as const).map((d) => counts(size(y!.shape[2 + d]), size(x!.shape[2 + d]), d, windows, attrs["countIncludePad"] as boolean)) as [number[], number[]];
    const shares = Float32Array.from(rows.flatMap((r) => cols.map((c) => whole / (r * c))));
    return shares.every((share) => share === 1) ? mean : g.node("Mul", [mean, g.constant(shares, [1, 1, rows.length, cols.length], "f32", "shares")]);
  },
  localResponseNorm(g, { inputs: { x }, attrs }) {
    const { size: n, alpha, beta, k } = attrs as { size: number; alpha: number; beta: number; k: number };
    // ONNX divides alpha by the size, wants images, and odd sizes.
    if (n % 2 === 1 && x!.shape.length === 4) return g.node("LRN", [x!.name], { size: n, alpha: { float: alpha * n }, beta: { float: beta }, bias: { float: k } });
    const image = x!.shape.length === 4 ? x!.name : g.node("Reshape", [x!.name, g.ints([0, 0, -1, 1])]);
    const sums = channelSums(g, g.node("Mul", [image, image]), size(x!.shape[1]), Math.floor(n / 2), Math.floor((n - 1) / 2));
    const d = g.node("Add", [g.node("Mul", [sums, g.scalar(alpha, "f32")]), g.scalar(k, "f32")]);
    const y = g.node("Div", [image, g.node("Pow", [d, g.scalar(beta, "f32")])]);
    return x!.shape.length === 4 ? y : g.node("Reshape", [y, g.shape(x!.shape)]);
  },
};
