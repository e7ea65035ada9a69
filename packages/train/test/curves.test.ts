import { expect, it } from "vitest";
import { curves } from "../src/report-curves.ts";

const labels = (svg: string) => [...svg.matchAll(/text-anchor="end">([\d.]+(?: %)?)<\/text><?/g)].map((m) => m[1]);

it("labels axes with round numbers around the curves", () => {
  const [loss, accuracy] = curves([
    { epoch: 1, loss: 1.19, lr: 1, "test accuracy": 0.75 },
    { epoch: 2, loss: 0.189, lr: 1, "test accuracy": 0.908 },
  ]).split("</svg>");
  expect(labels(loss!)).toEqual(["0.0", "0.5", "1.0", "1.5", "2"]); // the last one is the number of epochs
  expect(labels(accuracy!)).toEqual(["75 %", "80 %", "85 %", "90 %", "95 %", "2"]);
});

it("draws one epoch, and values that are all the same", () => {
  for (const history of [[{ epoch: 1, loss: 0, lr: 1 }], [{ epoch: 1, loss: 2, lr: 1 }, { epoch: 2, loss: 2, lr: 1 }], [{ epoch: 1, loss: 1234.5, lr: 1 }]]) {
    const svg = curves(history);
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(labels(svg).length).toBeGreaterThan(2);
  }
});
