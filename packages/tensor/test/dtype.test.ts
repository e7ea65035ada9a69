/** Which type meets which: the table of the README, and how numbers and functions treat types. */
import { readFileSync } from "node:fs";
import { ones, promote, tensor, type DType, type Tensor } from "@nn/tensor";
import { describe, expect, it, test } from "vitest";

const dtypes: DType[] = ["bool", "u8", "i32", "f32", "f64"];
const of = (dtype: DType): Tensor => ones([2], { dtype });

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const rows = [...readme.matchAll(/^ *\| \*\*(\w+)\*\* \| (.*) \|$/gm)].map((m) => [m[1] as DType, m[2]!.replace("¹", "").split(" | ") as DType[]] as const);

test("the README's table has every type", () => {
  expect(rows.map(([a]) => a)).toEqual(dtypes);
});

describe.each(rows)("%s beside", (a, results) => {
  it.each(dtypes.map((b, i) => [b, results[i]!] as const))("%s gives %s", (b, result) => {
    expect(promote(a, b)).toBe(result);
    expect(of(a).maximum(of(b)).dtype).toBe(result);
    expect(of(a).add(of(b)).dtype).toBe(result === "bool" ? "i32" : result); // ¹ masks are counted
    expect(of(a).eq(of(b)).dtype).toBe("bool");
  });
});

test("a number takes the tensor's type; a fraction beside integers makes f32, any number beside a mask counts", () => {
  expect(dtypes.map((d) => of(d).add(1).dtype)).toEqual(["i32", "u8", "i32", "f32", "f64"]);
  expect(dtypes.map((d) => of(d).mul(0.5).dtype)).toEqual(["f32", "f32", "f32", "f32", "f64"]);
  expect([...tensor([1, 2], { dtype: "i32" }).mul(0.5).dataSync()]).toEqual([0.5, 1]);
});

test("functions of real numbers turn integers into f32, sums of small types count in i32", () => {
  for (const f of [(x: Tensor) => x.exp(), (x: Tensor) => x.div(x), (x: Tensor) => x.mean(), (x: Tensor) => x.softmax(0)]) {
    expect(dtypes.map((d) => f(of(d)).dtype)).toEqual(["f32", "f32", "f32", "f32", "f64"]);
  }
  expect(dtypes.map((d) => of(d).sum().dtype)).toEqual(["i32", "i32", "i32", "f32", "f64"]);
  expect(dtypes.map((d) => of(d).argmax().dtype)).toEqual(["i32", "i32", "i32", "i32", "i32"]);
});
