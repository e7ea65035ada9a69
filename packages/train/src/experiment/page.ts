/** The page of an experiment: markdown with its plots beside it. */
import { lineChart } from "../line-chart.ts";
import type { Block } from "./experiment.ts";

/** A markdown table; columns of numbers are aligned to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.map((c) => String(c).replaceAll("|", "\\|")).join(" | ")} |`;
  const numeric = head.map((_, k) => k > 0 && rows.every((cells) => /^([-–±\d]|$)/.test(String(cells[k] ?? ""))));
  return [line(head), `|${numeric.map((right) => (right ? "---:|" : "---|")).join("")}`, ...rows.map(line)].join("\n");
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Mean, and the half-width of its 95 % interval over seeds (Student's t); of one value NaN. */
export function confidence(values: readonly number[]): { mean: number; halfWidth: number } {
  const n = values.length;
  const middle = mean(values);
  const deviation = Math.sqrt(values.reduce((a, v) => a + (v - middle) ** 2, 0) / (n - 1));
  const t = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262][n - 2] ?? 1.96;
  return { mean: middle, halfWidth: (t * deviation) / Math.sqrt(n) };
}

/** The same as text: `89.1 ± 0.4`. One value stands alone. */
export function meanAndInterval(values: readonly number[], digits: number): string {
  const { mean, halfWidth } = confidence(values);
  return values.length < 2 ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${halfWidth.toFixed(digits)}`;
}

export interface PageInput {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly blocks: readonly Block[];
  /** Last lines: command, machine, date. */
  readonly foot: string;
}

/** File names, all beginning with the experiment's, and what is in them. */
export function renderPage({ name, title, description, blocks, foot }: PageInput): Map<string, string> {
  const files = new Map<string, string>();
  const parts = blocks.map((block) => {
    if (typeof block === "string") return block;
    const file = `${name}-${block.file}.svg`;
    files.set(file, `${lineChart(block)}\n`);
    return `![${block.title}: ${block.y} over ${block.x}](${file})`;
  });
  files.set(`${name}.md`, `${[`# ${title}`, description, ...parts, "---", foot].join("\n\n")}\n`);
  return files;
}
