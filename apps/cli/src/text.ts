/** Results as text for a terminal. */
import type { ConfusionMatrix, Evaluation } from "@nn/train";

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Accuracy of each class, one line each. */
export function perClass({ confusion }: Evaluation, classes: readonly string[]): string {
  const width = Math.max(...classes.map((c) => c.length));
  return confusion.perClass().map((share, k) => `  ${classes[k]!.padEnd(width)}  ${(Number.isNaN(share) ? "–" : percent(share)).padStart(7)}`).join("\n");
}

/** More classes than this make no table that could be read. */
const MAX_TABLE = 40;

/** The confusion matrix under its heading; of many classes the mistakes made most often. */
export function confusionText({ confusion }: Evaluation, classes: readonly string[]): string {
  if (classes.length <= MAX_TABLE) return `confusion matrix (rows: true, columns: predicted):\n${confusionTable(confusion, classes)}`;
  const lines = confusion.mistakes(20).map(({ actual, predicted, count }) => `${String(count).padStart(7)}  ${classes[actual]!} taken for ${classes[predicted]!}`);
  return `mistakes made most often:\n${lines.join("\n")}`;
}

/** Counts: rows are true classes, columns predictions, in the order of the classes. */
function confusionTable({ counts, classes: n }: ConfusionMatrix, classes: readonly string[]): string {
  const width = Math.max(...classes.map((c) => c.length));
  const cell = Math.max(...counts, 0).toString().length + 2;
  const head = `${" ".repeat(width + 2)}${Array.from({ length: n }, (_, k) => `${k}`.padStart(cell)).join("")}`;
  const rows = classes.map((c, k) => `${String(k).padStart(2)} ${c.padEnd(width)}${Array.from(counts.subarray(k * n, (k + 1) * n), (v) => (v === 0 ? "·" : String(v)).padStart(cell)).join("")}`);
  return [` ${head}`, ...rows].join("\n");
}

/** Text from a file without what a terminal would obey. */
export const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** 1536 → `1.5 KiB`. */
export function bytes(n: number): string {
  const unit = n < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(n) / 10));
  return unit === 0 ? `${n} B` : `${(n / 1024 ** unit).toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}
