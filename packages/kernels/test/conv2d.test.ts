import { scratchBytes } from "@nn/kernels";
import { expect, test } from "vitest";
import { expectClose, numbers, onEveryEngine, out, uniform } from "./harness.ts";

interface Conv {
  n: number; h: number; w: number; c: number; oc: number; kh: number; kw: number; oh: number; ow: number; strideH: number; strideW: number;
  padTop: number; padLeft: number; dilationH: number; dilationW: number; groups: number; act: number;
}
const normal = (n: number, seed: number): Float32Array => {
  const next = numbers(seed);
  return Float32Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
};
const activations = [(x: number) => x, (x: number) => Math.max(x, 0), (x: number) => 1 / (1 + Math.exp(-x)), Math.tanh];

/** Random convolutions with every option at once; bottom and right padding differ from top and left. */
function cases(seed: number, count: number): Conv[] {
  const next = numbers(seed), int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  const all: Conv[] = [];
  while (all.length < count) {
    const groups = int(0, 2) === 0 ? int(2, 4) : 1, depthwise = all.length % 6 === 5, c = depthwise ? int(2, 35) : groups * int(1, 12);
    const p = {
      n: int(1, 3), h: int(1, 12), w: int(1, 12), c, oc: depthwise ? c : groups * (int(0, 1) ? int(1, 20) : 16), kh: int(1, 4), kw: int(1, 4),
      strideH: int(1, 3), strideW: int(1, 3), padTop: int(0, 3), padLeft: int(0, 3), dilationH: int(1, 3), dilationW: int(1, 2),
      groups: depthwise ? c : groups, act: int(0, 3),
    };
    if (all.length % 2) Object.assign(p, { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 });
    const oh = Math.floor((p.h + p.padTop + int(0, 3) - p.dilationH * (p.kh - 1) - 1) / p.strideH) + 1;
    const ow = Math.floor((p.w + p.padLeft + int(0, 3) - p.dilationW * (p.kw - 1) - 1) / p.strideW) + 1;
    if (oh > 0 && ow > 0) all.push({ ...p, oh, ow });
  }
  return all;
}
const plain = { kh: 3, kw: 3, strideH: 1, strideW: 1, padTop: 1, padLeft: 1, dilationH: 1, dilationW: 1, groups: 1, act: 1 };
/** Several row chunks and k blocks, slabs of the weight gradient, images read in place. */
const large: Conv[] = [
  { ...plain, n: 4, h: 13, w: 13, c: 32, oc: 40, kw: 4, oh: 13, ow: 12 },
  { ...plain, n: 16, h: 28, w: 28, c: 1, oc: 6, kh: 5, kw: 5, oh: 24, ow: 24, padTop: 0, padLeft: 0 },
  { ...plain, n: 4, h: 20, w: 20, c: 24, oc: 32, kh: 1, kw: 1, oh: 20, ow: 20, padTop: 0, padLeft: 0 },
];
const square = (n: number, size: number, c: number, oc: number, k: number, stride: number, pad: number, act = 0): Conv => {
  const out = Math.floor((size + 2 * pad - k) / stride) + 1;
  return { ...plain, n, h: size, w: size, c, oc, kh: k, kw: k, oh: out, ow: out, strideH: stride, strideW: stride, padTop: pad, padLeft: pad, act };
};
/** By Winograd's algorithm. */
const winograd: Conv[] = [
  // odd sizes, uneven channels, asymmetric padding, several groups of tiles and k blocks
  { ...plain, n: 11, h: 13, w: 13, c: 67, oc: 70, oh: 13, ow: 13, act: 0 },
  { ...plain, n: 40, h: 6, w: 9, c: 64, oc: 65, oh: 7, ow: 8, padTop: 2, padLeft: 0, act: 1 },
  { ...plain, n: 33, h: 7, w: 9, c: 300, oc: 64, oh: 7, ow: 9, act: 3 },
  { ...plain, n: 3, h: 11, w: 14, c: 35, oc: 19, kh: 5, kw: 5, oh: 9, ow: 16, padTop: 0, padLeft: 4, act: 2 },
  // the fewest tiles and channels, one less of either
  square(16, 5, 16, 4, 3, 1, 1), square(15, 5, 16, 4, 3, 1, 1), square(16, 5, 15, 4, 3, 1, 1), square(16, 5, 16, 3, 3, 1, 1), square(4, 6, 16, 4, 5, 1, 2),
  // every padding, and one beyond the filter
  ...[0, 1, 2, 3].map((pad) => square(5, 11, 17, 5, 3, 1, pad)), ...[0, 1, 2, 3, 4, 5].map((pad) => square(4, 9, 18, 21, 5, 1, pad)),
  // a tile's width and its neighbours
  ...[4, 5, 6, 10, 11].map((size) => square(16, size, 20, 16, 3, 1, 1)), ...[3, 4, 7].map((size) => square(16, size, 20, 16, 5, 1, 2)),
  // panel by panel: the fewest tiles and columns, one less of either, several parts of channels, strides, other paddings
  square(1, 13, 130, 257, 3, 1, 1, 1), square(1, 13, 257, 130, 3, 1, 1, 2), square(2, 10, 20, 256, 3, 1, 1), square(1, 13, 17, 255, 3, 1, 1), square(1, 9, 66, 260, 5, 1, 2),
  square(1, 10, 260, 66, 5, 1, 4), square(1, 47, 3, 256, 11, 4, 0), { ...plain, n: 3, h: 11, w: 12, c: 65, oc: 290, oh: 12, ow: 11, padTop: 2, padLeft: 0, act: 3 },
  // strides, as blocks of pixels
  square(2, 59, 3, 12, 11, 4, 0), square(3, 40, 3, 9, 12, 4, 3, 1), square(5, 21, 4, 8, 5, 2, 2), square(4, 19, 7, 8, 6, 2, 1), square(3, 31, 5, 6, 9, 2, 4), square(2, 41, 2, 7, 8, 3, 5),
];

/** Of the largest result. Measured: up to 1.5e-5 with few channels, 1e-5 with hundreds. */
const winogradTolerance = 2e-5;

/** All four results by the definition, in f64. */
function reference(p: Conv, x: Float32Array, weight: Float32Array, bias: Float32Array, dy: Float32Array) {
  const cg = p.c / p.groups, og = p.oc / p.groups;
  const y = new Float64Array(dy.length), dx = new Float64Array(x.length), dw = new Float64Array(weight.length), db = new Float64Array(p.oc);
  let at = 0;
  for (let b = 0; b < p.n; b++)
    for (let oy = 0; oy < p.oh; oy++)
      for (let ox = 0; ox < p.ow; ox++)
        for (let o = 0; o < p.oc; o++, at++) {
          let s = bias[o]!;
          const d = dy[at]!, g = Math.floor(o / og);
          db[o]! += d;
          for (let i = 0; i < p.kh; i++)
            for (let j = 0; j < p.kw; j++) {
              const iy = oy * p.strideH - p.padTop + i * p.dilationH, ix = ox * p.strideW - p.padLeft + j * p.dilationW;
              if (iy < 0 || ix < 0 || iy >= p.h || ix >= p.w) continue;
              for (let ch = 0; ch < cg; ch++) {
                const xi = ((b * p.h + iy) * p.w + ix) * p.c + g * cg + ch, wi = ((o * cg + ch) * p.kh + i) * p.kw + j;
                s += x[xi]! * weight[wi]!;
                dx[xi]! += d * weight[wi]!;
                dw[wi]! += d * x[xi]!;
              }
            }
          y[at] = activations[p.act]!(s);
        }
  return { y, dx, dw, db };
}
const prepared = [...cases(1, 60), ...large, ...winograd].map((p, seed) => {
  // Small weights before tanh and sigmoid, or sums of many products saturate.
  const range = p.act > 1 && p.c >= 32 ? 0.02 : 1;
  const x = uniform(p.n * p.h * p.w * p.c, seed), weight = uniform(p.oc * (p.c / p.groups) * p.kh * p.kw, seed + 1, -range, range), bias = uniform(p.oc, seed + 2);
  const dy = uniform(p.n * p.oh * p.ow * p.oc, seed + 3);
  return { p, tolerance: winograd.includes(p) ? winogradTolerance : 3e-6, name: JSON.stringify(p), x, weight, bias, dy, want: reference(p, x, weight, bias, dy) };
});

/** Errors are judged beside the largest value of the result: sums of hundreds of products cancel in single elements. */
const close = (got: ArrayLike<number>, want: Float64Array, name: string, tolerance = 3e-6): void => {
  const largest = want.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
  expectClose(got, want, tolerance, name, new Float64Array(want.length).fill(largest));
};

/** Normal data, as many channels as in AlexNet. */
const ordinary = [square(2, 13, 256, 64, 3, 1, 1), square(2, 12, 96, 64, 5, 1, 2), square(1, 83, 3, 96, 11, 4, 0)].map((p) => {
  const x = normal(p.n * p.h * p.w * p.c, 41), weight = normal(p.oc * p.c * p.kh * p.kw, 42), bias = new Float32Array(p.oc), dy = normal(p.n * p.oh * p.ow * p.oc, 43);
  return { p, name: JSON.stringify(p), x, weight, bias, dy, want: reference(p, x, weight, bias, dy) };
});

onEveryEngine((kernels) => {
  test("conv2d agrees with plain loops in f64", () => {
    for (const { p, name, tolerance, x, weight, bias, want } of prepared) {
      const { y } = kernels.run("conv2d", { ...p, x, weight, bias, y: out.f32(want.y.length), scratch: out.u8(scratchBytes.conv2d(p)) });
      close(y, want.y, name, tolerance);
    }
  });

  test("without input channels the bias is left", () => {
    const p = { ...plain, n: 2, h: 4, w: 4, c: 0, oc: 5, oh: 4, ow: 4, act: 0 }, bias = uniform(5, 30), nothing = new Float32Array(0);
    const { y } = kernels.run("conv2d", { ...p, x: nothing, weight: nothing, bias, y: out.f32(2 * 16 * 5), scratch: 0 });
    y.forEach((v, i) => expect(v).toBe(bias[i % 5]));
  });

  test("relu keeps NaN, in exactly the pixels that see it", () => {
    const shapes: Conv[] = [
      { ...plain, n: 3, h: 13, w: 13, c: 5, oc: 40, oh: 13, ow: 13 }, { ...plain, n: 1, h: 6, w: 5, c: 1, oc: 3, oh: 6, ow: 5 },
      { ...plain, n: 2, h: 9, w: 9, c: 19, oc: 19, groups: 19, oh: 9, ow: 9 }, { ...plain, n: 2, h: 9, w: 9, c: 8, oc: 6, groups: 2, oh: 9, ow: 9 },
    ];
    for (const p of shapes) {
      const name = JSON.stringify(p), x = uniform(p.n * p.h * p.w * p.c, 31), weight = uniform(p.oc * (p.c / p.groups) * 9, 32), [py, px, at] = [3, 2, p.c >> 1];
      x[(py * p.w + px) * p.c + at] = NaN; // of the first image
      const bias = uniform(p.oc, 33), group = Math.floor(at / (p.c / p.groups));
      bias[p.oc - 1] = NaN;
      const { y } = kernels.run("conv2d", { ...p, x, weight, bias, y: out.f32(p.n * p.oh * p.ow * p.oc), scratch: out.u8(scratchBytes.conv2d(p)) });
      const want = Array.from(y, (_, i) => {
        const o = i % p.oc, ox = Math.floor(i / p.oc) % p.ow, oy = Math.floor(i / p.oc / p.ow);
        return o === p.oc - 1 || (Math.floor(o / (p.oc / p.groups)) === group && Math.abs(oy - py) <= 1 && Math.abs(ox - px) <= 1);
      });
      const wrong = want.findIndex((w, i) => w !== Number.isNaN(y[i]!) || y[i]! < 0);
      expect(wrong, name).toBe(-1);
    }
  });

  test("Winograd's algorithm ran where it pays: there, and only there, NaN reaches whole tiles", () => {
    const cases: [Conv, boolean][] = [
      [square(16, 5, 16, 4, 3, 1, 1, 1), true], [square(15, 5, 16, 4, 3, 1, 1, 1), false], [square(16, 5, 15, 4, 3, 1, 1, 1), false], [square(16, 5, 16, 3, 3, 1, 1, 1), false],
      [square(1, 13, 64, 256, 3, 1, 1, 1), true], [square(2, 10, 64, 256, 3, 1, 1, 1), false], [square(1, 13, 64, 255, 3, 1, 1, 1), false],
      [square(4, 27, 96, 8, 5, 1, 2, 1), true], [square(4, 13, 64, 67, 3, 1, 1, 1), true], [square(2, 59, 3, 12, 11, 4, 0, 1), true], [{ ...square(4, 13, 64, 8, 3, 1, 1), dilationH: 2, oh: 11 }, false],
    ];
    for (const [p, fast] of cases) {
      const name = JSON.stringify(p), tile = Math.ceil(p.kh / p.strideH) === 3 ? 5 : 3;
      const x = uniform(p.n * p.h * p.w * p.c, 34), weight = uniform(p.oc * p.c * p.kh * p.kw, 35), bias = uniform(p.oc, 36);
      x[(p.kh * p.w + p.kh) * p.c] = NaN; // pixel (kh, kh) of the first image
      const { y } = kernels.run("conv2d", { ...p, x, weight, bias, y: out.f32(p.n * p.oh * p.ow * p.oc), scratch: out.u8(scratchBytes.conv2d(p)) });
      const sees = (o: number, k: number, pad: number, dilation: number) => (p.kh + pad - o * p.strideH) % dilation === 0 && p.kh + pad - o * p.strideH >= 0 && p.kh + pad - o * p.strideH < k * dilation;
      const near = (o: number, k: number, pad: number) => { // whether any result of o's tile or, with blocks, its last tap's padding sees the pixel
        const first = Math.floor(o / tile) * tile * p.strideH - pad;
        return p.kh >= first && p.kh < first + 7 * p.strideH;
      };
      let beyond = 0;
      for (let i = 0; i < y.length; i++) {
        const ox = Math.floor(i / p.oc) % p.ow, oy = Math.floor(i / p.oc / p.ow) % p.oh, first = i < p.oh * p.ow * p.oc;
        const exact = first && sees(oy, p.kh, p.padTop, p.dilationH) && sees(ox, p.kw, p.padLeft, p.dilationW), nan = Number.isNaN(y[i]!);
        if (exact && !nan) expect.unreachable(`${name} [${i}] lost NaN`);
        if (nan && !exact) beyond++;
        if (nan && !(first && near(oy, p.kh, p.padTop) && near(ox, p.kw, p.padLeft))) expect.unreachable(`${name} [${i}] is NaN`);
      }
      expect(beyond > 0, name).toBe(fast);
    }
  });

  test("Winograd's errors are what is stated", () => {
    for (const { p, name, x, weight, bias, dy, want } of ordinary) {
      const { y } = kernels.run("conv2d", { ...p, x, weight, bias, y: out.f32(dy.length), scratch: out.u8(scratchBytes.conv2d(p)) });
      const { dx } = kernels.run("conv2dInputGrad", { ...p, weight, dy, dx: out.f32(x.length), scratch: out.u8(scratchBytes.conv2dInputGrad(p)) });
      const { dw } = kernels.run("conv2dWeightGrad", { ...p, x, dy, dw: out.f32(weight.length), db: 0, scratch: out.u8(scratchBytes.conv2dWeightGrad(p)) });
      for (const [got, exact] of [[y, want.y], [dx, want.dx], [dw, want.dw]] as const) {
        const rms = Math.sqrt(exact.reduce((s, v, i) => s + (got[i]! - v) ** 2, 0) / exact.reduce((s, v) => s + v * v, 0));
        expect(rms, name).toBeLessThan(5e-6);
        close(got, exact, name, winogradTolerance);
      }
    }
  });

  test("conv2dInputGrad agrees, writing every element", () => {
    for (const { p, name, tolerance, weight, dy, want } of prepared) {
      const { dx } = kernels.run("conv2dInputGrad", { ...p, weight, dy, dx: out.f32(want.dx.length), scratch: out.u8(scratchBytes.conv2dInputGrad(p)) });
      close(dx, want.dx, name, tolerance);
    }
  });

  test("gradients that are nearly all zeros, in every geometry", () => {
    const none = { kh: 1, kw: 1, strideH: 1, strideW: 1, padTop: 0, padLeft: 0, dilationH: 1, dilationW: 1, groups: 1, act: 0 };
    const shapes: Conv[] = [
      { ...none, n: 13, h: 1, w: 60, c: 37, oc: 33, kw: 4, oh: 1, ow: 57 },
      { ...plain, n: 12, h: 9, w: 11, c: 16, oc: 31, oh: 9, ow: 11, act: 0 },
      { ...none, n: 12, h: 17, w: 20, c: 68, oc: 34, kh: 3, kw: 2, strideH: 2, padTop: 2, padLeft: 1, dilationW: 2, groups: 2, oh: 9, ow: 20 },
      { ...plain, n: 6, h: 13, w: 13, c: 64, oc: 65, oh: 13, ow: 13, act: 0 }, // Winograd's, if dense
    ];
    shapes.forEach((p, seed) => {
      const name = JSON.stringify(p), x = uniform(p.n * p.h * p.w * p.c, seed), weight = uniform(p.oc * (p.c / p.groups) * p.kh * p.kw, seed + 1), bias = uniform(p.oc, 1);
      // One value in 40, one in 17 (beside the limit of 16) and none.
      for (const rarity of [40, 17, Infinity]) {
        const dy = uniform(p.n * p.oh * p.ow * p.oc, seed + 2).map((v, i) => ((i * 7) % rarity === 3 ? v : 0));
        const want = reference(p, x, weight, bias, dy);
        const { dx } = kernels.run("conv2dInputGrad", { ...p, weight, dy, dx: out.f32(x.length), scratch: out.u8(scratchBytes.conv2dInputGrad(p)) });
        close(dx, want.dx, name);
        const { dw, db } = kernels.run("conv2dWeightGrad", { ...p, x, dy, dw: out.f32(weight.length), db: out.f32(p.oc), scratch: out.u8(scratchBytes.conv2dWeightGrad(p)) });
        close(dw, want.dw, name);
        close(db, want.db, name);
      }
    });
  });

  test("conv2dWeightGrad agrees, with and without the bias gradient", () => {
    for (const { p, name, tolerance, x, dy, want } of prepared) {
      const scratch = out.u8(scratchBytes.conv2dWeightGrad(p)), dw = out.f32(want.dw.length);
      const both = kernels.run("conv2dWeightGrad", { ...p, x, dy, dw, db: out.f32(p.oc), scratch });
      close(both.dw, want.dw, name, tolerance);
      close(both.db, want.db, name);
      close(kernels.run("conv2dWeightGrad", { ...p, x, dy, dw, db: 0, scratch }).dw, want.dw, name, tolerance);
    }
  });
});
