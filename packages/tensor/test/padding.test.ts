import { expect, test } from "vitest";
import { Random, ShapeError, samePadding, validPadding } from "../src/index.ts";

const random = new Random(1);
/** in, kernel, stride, dilation */
const shapes = Array.from({ length: 10_000 }, (_, i) => [random.int(4 * i, 40), 1 + random.int(4 * i + 1, 9), 1 + random.int(4 * i + 2, 7), 1 + random.int(4 * i + 3, 4)] as const);

/** Windows that fit, counted one by one. */
function count(size: number, span: number, stride: number): number {
  let n = 0;
  while (n * stride + span <= size) n++;
  return n;
}

test("SAME and VALID of ten thousand shapes keep what they promise", () => {
  const wrong: unknown[] = [];
  for (const shape of shapes) {
    const [size, kernel, stride, dilation] = shape;
    const span = (kernel - 1) * dilation + 1;
    const { out, before, after } = samePadding(...shape);
    const padded = size + before + after;
    const same =
      out === Math.ceil(size / stride) &&
      (after === before || after === before + 1) && // the odd one goes after
      count(padded, span, stride) === out && // every result has its window
      (before + after === 0 || count(padded - 1, span, stride) < out); // and no zero is superfluous
    if (!same) wrong.push(["same", shape, { out, before, after }]);
    if (size < span) {
      try {
        wrong.push(["valid", shape, validPadding(...shape)]);
      } catch (error) {
        if (!(error instanceof ShapeError)) wrong.push(["valid", shape, error]);
      }
    } else if (validPadding(...shape).out !== count(size, span, stride)) wrong.push(["valid", shape, validPadding(...shape)]);
  }
  expect(wrong).toEqual([]);
});
