import { test } from "vitest";
import { expectClose, onEveryEngine, out, uniform } from "./harness.ts";

onEveryEngine((k) => {
  test("cumsum along the middle axis, both ways, rounded once", () => {
    for (const outer of [1, 3, 9])
      for (const r of [1, 2, 7, 64, 511, 5000])
        for (const inner of [1, 2, 7, 9, 65, 1100]) {
          if (outer * r * inner > 500_000) continue;
          const x = uniform(outer * r * inner, 5);
          for (const reverse of [0, 1]) {
            const { y } = k.run("cumsum", { outer, r, inner, x, y: out.f32(x.length), reverse });
            const want = new Float32Array(x.length);
            for (let o = 0; o < outer; o++)
              for (let i = 0; i < inner; i++)
                for (let a = 0, s = 0; a < r; a++) {
                  const at = (o * r + (reverse ? r - 1 - a : a)) * inner + i;
                  want[at] = s += x[at]!;
                }
            expectClose(y, want, 0, `cumsum ${[outer, r, inner]} reverse ${reverse}`);
          }
        }
  });
});
