import { expect, test } from "vitest";
import { expectClose, numbers, onEveryEngine, out, uniform } from "./harness.ts";

interface Pool {
  n: number; h: number; w: number; c: number; kh: number; kw: number; oh: number; ow: number;
  strideH: number; strideW: number; padTop: number; padLeft: number; dilationH: number; dilationW: number;
}

/** Random poolings as PyTorch allows them: padding up to half the kernel, sizes rounded down or up. */
function cases(seed: number, count: number, dilated: boolean): Pool[] {
  const next = numbers(seed), int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  const channels = [1, 3, 4, 6, 7, 8, 9, 16, 17, 31, 64, 65, 130];
  const outputs = (size: number, kernel: number, stride: number, pad: number, dilation: number, ceil: boolean) => {
    const room = size + 2 * pad - dilation * (kernel - 1) - 1, o = (ceil ? Math.ceil : Math.floor)(room / stride) + 1;
    return room < 0 ? 0 : ceil && (o - 1) * stride >= size + pad ? o - 1 : o;
  };
  const all: Pool[] = [];
  while (all.length < count) {
    const kh = int(1, 4), kw = int(1, 4), p = {
      n: int(1, 2), h: int(1, 12), w: int(1, 12), c: channels[all.length % channels.length]!, kh, kw, strideH: int(1, 3), strideW: int(1, 3),
      padTop: int(0, kh >> 1), padLeft: int(0, kw >> 1), dilationH: dilated ? int(1, 2) : 1, dilationW: dilated ? int(1, 2) : 1,
    };
    const ceil = next() < 0.5, oh = outputs(p.h, kh, p.strideH, p.padTop, p.dilationH, ceil), ow = outputs(p.w, kw, p.strideW, p.padLeft, p.dilationW, ceil);
    if (oh > 0 && ow > 0) all.push({ ...p, oh, ow });
  }
  return all;
}
/** Large enough for several chunks, so that threads take part. */
const large: Pool = { n: 8, h: 20, w: 21, c: 48, kh: 3, kw: 3, oh: 10, ow: 10, strideH: 2, strideW: 2, padTop: 1, padLeft: 0, dilationH: 1, dilationW: 1 };

/** f(position in y, positions of the window's elements in x). */
function windows(p: Pool, f: (at: number, elements: number[], o: { oy: number; ox: number }) => void): void {
  for (let b = 0; b < p.n; b++)
    for (let oy = 0; oy < p.oh; oy++)
      for (let ox = 0; ox < p.ow; ox++)
        for (let ch = 0; ch < p.c; ch++) {
          const elements: number[] = [];
          for (let ky = 0; ky < p.kh; ky++)
            for (let kx = 0; kx < p.kw; kx++) {
              const y = oy * p.strideH - p.padTop + ky * p.dilationH, x = ox * p.strideW - p.padLeft + kx * p.dilationW;
              if (y >= 0 && y < p.h && x >= 0 && x < p.w) elements.push(((b * p.h + y) * p.w + x) * p.c + ch);
            }
          f(((b * p.oh + oy) * p.ow + ox) * p.c + ch, elements, { oy, ox });
        }
}

function checkMax(k: Parameters<Parameters<typeof onEveryEngine>[0]>[0], p: Pool, x: Float32Array, relu: boolean): void {
  const n = p.n * p.oh * p.ow * p.c, dy = uniform(n, 21), label = JSON.stringify({ ...p, relu });
  const want = new Float32Array(n), wantTaps = new Int32Array(n), wantDx = new Float64Array(x.length), picked = new Float32Array(n);
  windows(p, (at, elements, { oy, ox }) => {
    want[at] = relu ? 0 : -Infinity;
    wantTaps[at] = -1;
    if (elements.length === 0) return; // dilation can step over a narrow image
    let best = elements[0]!;
    for (const e of elements) if (x[e]! > x[best]! || Number.isNaN(x[e]!)) best = e; // as PyTorch: the last NaN
    if (relu && x[best]! <= 0) return;
    want[at] = x[best]!;
    picked[at] = x[best]!;
    wantDx[best]! += dy[at]!;
    const pixel = Math.floor(best / p.c) % (p.h * p.w), down = Math.floor(pixel / p.w) + p.padTop - oy * p.strideH, right = (pixel % p.w) + p.padLeft - ox * p.strideW;
    wantTaps[at] = (down / p.dilationH) * p.kw + right / p.dilationW;
  });
  for (const wideTaps of [0, 1]) {
    const { y, taps } = k.run("maxPool2d", { ...p, relu: Number(relu), wideTaps, x, y: out.f32(n), taps: wideTaps ? out.i32(n) : out.u8(n) });
    expectClose(y, want, 0, `max ${label}`);
    expectClose(taps, wideTaps ? wantTaps : Uint8Array.from(wantTaps), 0, `taps ${label}`);
    expectClose(k.run("maxPool2dGrad", { ...p, wideTaps, dy, taps, dx: out.f32(x.length) }).dx, wantDx, 1e-6, `max gradient ${label}`);
    expectClose(k.run("poolGather", { ...p, wideTaps, x, taps, y: out.f32(n) }).y, picked, 0, `gather ${label}`);
  }
}

onEveryEngine((k) => {
  test("max pooling and its gradient", () => {
    for (const [i, p] of [...cases(20, 130, true), large].entries()) {
      const x = uniform(p.n * p.h * p.w * p.c, i, -3, 3);
      checkMax(k, p, i % 2 ? x : x.map(Math.round), i % 3 === 0); // whole numbers: many ties
    }
  });

  test("NaN wins, -inf is a value like any other", () => {
    for (const p of cases(22, 39, true))
      checkMax(k, p, uniform(p.n * p.h * p.w * p.c, 23, 0, 1).map((v) => (v < 0.6 ? -Infinity : v < 0.65 ? NaN : v)), p.c % 2 === 0);
  });

  test("the worked 4×4 example", () => {
    const p = { n: 1, h: 4, w: 4, c: 1, kh: 2, kw: 2, oh: 2, ow: 2, strideH: 2, strideW: 2, padTop: 0, padLeft: 0, dilationH: 1, dilationW: 1 };
    const x = new Float32Array([1, 1, 2, 4, 5, 6, 7, 8, 3, 2, 1, 0, 1, 2, 3, 4]);
    const { y, taps } = k.run("maxPool2d", { ...p, relu: 0, wideTaps: 0, x, y: out.f32(4), taps: out.u8(4) });
    expect([...y]).toEqual([6, 8, 3, 4]);
    expect([...taps]).toEqual([3, 3, 0, 3]);
    const { dx } = k.run("maxPool2dGrad", { ...p, wideTaps: 0, dy: new Float32Array([1, 2, 2, 4]), taps, dx: out.f32(16) });
    expect([...dx]).toEqual([0, 0, 0, 0, 0, 1, 0, 2, 2, 0, 0, 0, 0, 0, 0, 4]);
  });

  test.each([false, true])("average pooling and its gradient, padding counts: %s", (counts) => {
    for (const [i, p] of [...cases(24, 130, false), large].entries()) {
      const x = uniform(p.n * p.h * p.w * p.c, 25), n = p.n * p.oh * p.ow * p.c, dy = uniform(n, 26), label = JSON.stringify(p);
      const want = new Float64Array(n), wantDx = new Float64Array(x.length);
      const [countH, countW] = [p.h + p.padTop + (i % 2), p.w + p.padLeft + (i % 3)]; // more behind than before, or the same
      windows(p, (at, elements, { oy, ox }) => {
        // PyTorch: a window that hangs over the padding (sizes rounded up) is cut there.
        const lines = Math.min(p.kh, countH - (oy * p.strideH - p.padTop)), columns = Math.min(p.kw, countW - (ox * p.strideW - p.padLeft));
        const count = counts ? lines * columns : elements.length;
        for (const e of elements) {
          want[at]! += x[e]! / count;
          wantDx[e]! += dy[at]! / count;
        }
      });
      const { dilationH: _h, dilationW: _w, ...sizes } = p;
      const plain = { ...sizes, countH: counts ? countH : 0, countW: counts ? countW : 0 };
      expectClose(k.run("avgPool2d", { ...plain, x, y: out.f32(n) }).y, want, 1e-6, `avg ${label}`);
      expectClose(k.run("avgPool2dGrad", { ...plain, dy, dx: out.f32(x.length) }).dx, wantDx, 1e-6, `avg gradient ${label}`);
    }
  });
});
