import { expect, it } from "vitest";
import { lineChart } from "../src/line-chart.ts";

const ticks = (svg: string) => [...svg.matchAll(/text-anchor="end">([^<]+)</g)].map((m) => m[1]);
const points = (name: string, ...p: [number, number][]) => ({ name, points: p });

it("labels the y axis with round numbers around the curves", () => {
  const chart = (y: [number, number][], more = {}) => ticks(lineChart({ title: "t", x: "x", y: "y", lines: [points("a", ...y)], ...more }));
  expect(chart([[1, 1.19], [2, 0.189]])).toEqual(["0.0", "0.5", "1.0", "1.5"]);
  expect(chart([[1, 0.75], [2, 0.908]], { percent: true })).toEqual(["75 %", "80 %", "85 %", "90 %", "95 %"]);
  expect(chart([[1, 0.003], [2, 42]], { log: true })).toEqual(["0.001", "0.01", "0.1", "1", "10", "100"]);
  expect(chart([[0, 1e-30], [1, 1]], { log: true }).length).toBeLessThan(10);
});

it("counts epochs in whole numbers", () => {
  const svg = lineChart({ title: "t", x: "epoch", y: "y", lines: [points("a", [1, 0], [2, 1], [3, 2])] });
  expect([...svg.matchAll(/text-anchor="middle">(\d[^<]*)</g)].map((m) => m[1])).toEqual(["1", "2", "3"]);
});

it("leaves out points that are not finite, and draws one point and none", () => {
  const svg = lineChart({ title: "t", x: "x", y: "y", lines: [points("gone", [1, NaN], [2, Infinity]), points("one", [1, 5])] });
  expect(svg).not.toMatch(/NaN|Infinity/);
  expect(svg).toContain("gone");
  expect(lineChart({ title: "t", x: "x", y: "y", lines: [] })).not.toMatch(/NaN|Infinity|undefined/);
  expect(lineChart({ title: "t", x: "x", y: "y", log: true, lines: [points("a", [1, 0], [2, -1], [3, 10])] })).not.toMatch(/NaN|Infinity/);
});

it("escapes names and tells curves apart past the tenth", () => {
  const svg = lineChart({ title: "<b>", x: "x", y: "y", lines: Array.from({ length: 11 }, (_, k) => points(`a&${k}`, [0, k], [1, k])) });
  expect(svg).not.toContain("<b>");
  expect(svg).toContain("a&#38;10");
  expect(svg.match(/stroke-dasharray/g)).toHaveLength(1);
});
