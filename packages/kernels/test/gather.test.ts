import { expect, test } from "vitest";
import { expectClose, integers, onEveryEngine, out, uniform } from "./harness.ts";

const shapes = [1, 3].flatMap((outer) => [1, 2, 9, 700].flatMap((size) => [0, 1, 7, 511].flatMap((rows) =>
  [1, 2, 8, 9, 65, 2050].map((inner) => ({ outer, size, rows, inner }))))).filter((s) => s.outer * (s.size + s.rows) * s.inner < 400_000);

type Shape = (typeof shapes)[number];
/** f(position in y[outer][rows][inner], o, row, i) in memory order. */
function each({ outer, rows, inner }: Shape, f: (at: number, o: number, row: number, i: number) => void): void {
  for (let o = 0, at = 0; o < outer; o++)
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < inner; i++) f(at++, o, row, i);
}

onEveryEngine((k) => {
  test("gatherRows and scatterAddRows", () => {
    for (const s of shapes) {
      const { outer, size, rows, inner } = s, index = integers(rows, 12, size);
      const x = uniform(outer * size * inner, 13), dy = uniform(outer * rows * inner, 14);
      const { y } = k.run("gatherRows", { ...s, x, index, y: out.f32(dy.length), elemSize: 4 });
      const { dx } = k.run("scatterAddRows", { ...s, dy, index, skip: -1, dx: out.f32(x.length) });
      const want = new Float32Array(dy.length), wantDx = new Float32Array(x.length);
      each(s, (at, o, row, i) => {
        const from = (o * size + index[row]!) * inner + i;
        want[at] = x[from]!;
        wantDx[from] = Math.fround(wantDx[from]! + dy[at]!); // float additions in row order: the same bits
      });
      expectClose(y, want, 0, `gatherRows ${JSON.stringify(s)}`);
      expectClose(dx, wantDx, 0, `scatterAddRows ${JSON.stringify(s)}`);
    }
  });

  test("gatherRows moves elements of 1 and 8 bytes", () => {
    const bytes = Uint8Array.from({ length: 5 * 16 }, (_, i) => i), index = new Int32Array([4, 0, 0, 2]);
    for (const [inner, elemSize] of [[16, 1], [2, 8]] as const) {
      const { y } = k.run("gatherRows", { outer: 1, size: 5, rows: 4, inner, x: bytes, index, y: out.u8(64), elemSize });
      expect([...y]).toEqual([...index].flatMap((r) => [...bytes.subarray(r * 16, r * 16 + 16)]));
    }
    const { y } = k.run("gatherRows", { outer: 1, size: 80, rows: 4, inner: 1, x: bytes, index, y: out.u8(4), elemSize: 1 });
    expect([...y]).toEqual([4, 0, 0, 2]);
  });

  test("gather and gatherGrad along the middle axis", () => {
    for (const s of shapes) {
      const { outer, size, rows, inner } = s, index = integers(outer * rows * inner, 15, size);
      const x = uniform(outer * size * inner, 16), dy = uniform(index.length, 17);
      const { y } = k.run("gather", { ...s, x, index, y: out.f32(dy.length) });
      const { dx } = k.run("gatherGrad", { ...s, dy, index, dx: out.f32(x.length) });
      const want = new Float32Array(dy.length), wantDx = new Float32Array(x.length);
      each(s, (at, o, _, i) => {
        const from = (o * size + index[at]!) * inner + i;
        want[at] = x[from]!;
        wantDx[from] = Math.fround(wantDx[from]! + dy[at]!);
      });
      expectClose(y, want, 0, `gather ${JSON.stringify(s)}`);
      expectClose(dx, wantDx, 0, `gatherGrad ${JSON.stringify(s)}`);
    }
  });

  test("an index outside the axis reads zero and adds nothing", () => {
    const index = new Int32Array([-1, 2, 1]), x = new Float32Array([1, 2]), s = { outer: 1, size: 2, rows: 3, inner: 1 };
    expect([...k.run("gatherRows", { ...s, x, index, y: out.f32(3), elemSize: 4 }).y]).toEqual([0, 0, 2]);
    expect([...k.run("gather", { ...s, x, index, y: out.f32(3) }).y]).toEqual([0, 0, 2]);
    const dy = new Float32Array([5, 6, 7]);
    expect([...k.run("scatterAddRows", { ...s, dy, index, skip: -1, dx: out.f32(2) }).dx]).toEqual([0, 7]);
    expect([...k.run("gatherGrad", { ...s, dy, index, dx: out.f32(2) }).dx]).toEqual([0, 7]);
  });

  test("a large embedding gradient", () => {
    const s = { outer: 1, size: 3000, rows: 2000, inner: 100 }, index = integers(s.rows, 18, s.size), dy = uniform(s.rows * s.inner, 19);
    const { dx } = k.run("scatterAddRows", { ...s, dy, index, skip: -1, dx: out.f32(s.size * s.inner) });
    const want = new Float32Array(s.size * s.inner);
    each(s, (at, _, row, i) => { const to = index[row]! * s.inner + i; want[to] = Math.fround(want[to]! + dy[at]!); });
    expectClose(dx, want, 0, "scatterAddRows");
  });

  test("scatterAddRows leaves out the rows at skip", () => {
    for (const inner of [1, 3, 40]) {
      const s = { outer: 2, size: 5, rows: 200, inner }, index = integers(s.rows, 20, s.size), dy = uniform(2 * s.rows * inner, 21);
      const { dx } = k.run("scatterAddRows", { ...s, dy, index, skip: 3, dx: out.f32(10 * inner) });
      const all = k.run("scatterAddRows", { ...s, dy, index, skip: -1, dx: out.f32(10 * inner) }).dx;
      expect([...dx]).toEqual(Array.from(all, (v, i) => (Math.floor(i / inner) % 5 === 3 ? 0 : v)));
    }
  });
});
