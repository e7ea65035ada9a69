/** COVERAGE.md: op × engine × forward, backward, second order. Written from what the suite saw; a run that lacks an engine leaves its column alone. */

export interface Row {
  readonly op: string;
  /** `kernel`, `view`, or `fallback: why`. */
  forward: string;
  backward: string;
  second: string;
}

const head = `# Coverage

What the conformance suite saw, op by op: a cell reads forward · backward · second order.
\`kernel\` runs compiled code, \`view\` only re-reads memory, \`ref\` runs the plain reference for the reason in the notes;
✓ was checked against references in f64, – has no gradient.

Written by \`pnpm exec vitest run --project conformance\`; do not edit.
`;

/** The file with the column of \`engine\` replaced by \`rows\`. */
export function updated(before: string, engine: string, rows: readonly Row[]): string {
  const table = parse(before);
  const columns = [...new Set([...table.columns, engine])].sort();
  const cells = new Map(table.cells);
  const notes = new Map(table.notes);
  for (const { op, forward, backward, second } of rows) {
    const reason = /^fallback: (.*)$/.exec(forward)?.[1];
    if (reason !== undefined) notes.set(op, reason);
    else if (!rows.some((r) => r.op === op && r.forward.startsWith("fallback"))) notes.delete(op);
    cells.set(`${op}|${engine}`, [reason === undefined ? forward : "ref", mark(backward), mark(second)].join(" · "));
  }
  const ops = [...new Set([...cells.keys()].map((k) => k.split("|")[0]!))].filter((op) => rows.some((r) => r.op === op)).sort();
  const lines = [
    `| op | ${columns.join(" | ")} |`,
    `|---|${columns.map(() => "---").join("|")}|`,
    ...ops.map((op) => `| ${op} | ${columns.map((c) => cells.get(`${op}|${c}`) ?? "").join(" | ")} |`),
  ];
  const reasons = ops.filter((op) => notes.has(op)).map((op) => `- \`${op}\`: ${notes.get(op)}`);
  return `${head}\n${lines.join("\n")}\n${reasons.length === 0 ? "" : `\n## Why a reference is enough\n\n${reasons.join("\n")}\n`}`;
}

const mark = (text: string): string => (text.startsWith("none") ? "–" : text);

function parse(text: string): { columns: string[]; cells: Map<string, string>; notes: Map<string, string> } {
  const rows = text.split("\n").filter((l) => l.startsWith("|")).map((l) => l.split("|").slice(1, -1).map((c) => c.trim()));
  const columns = rows[0]?.slice(1) ?? [];
  const cells = new Map<string, string>();
  for (const [op, ...rest] of rows.slice(2)) rest.forEach((c, i) => cells.set(`${op}|${columns[i]}`, c));
  const notes = new Map([...text.matchAll(/^- `(\w+)`: (.*)$/gm)].map((m) => [m[1]!, m[2]!]));
  return { columns, cells, notes };
}
