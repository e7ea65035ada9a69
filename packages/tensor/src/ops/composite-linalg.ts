/** Products made of `matmul`, and the linear layer as users call it. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { broadcastShapes, sizeOf } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import type { Activation } from "./activation.ts";
import { linear as linearOp } from "./matmul.ts";
import { show } from "./shape-rules.ts";
import { composite } from "./composite.ts";

export interface LinearOptions {
  /** `[out]` */
  bias?: Tensor | null;
  /** Activation applied in the same pass. */
  act?: Activation;
}

/** `act(x·Wᵀ + bias)` for x `[…, in]` and weight `[out, in]`. */
export const linear = (x: Tensor, weight: Tensor, { bias, act = "none" }: LinearOptions = {}): Tensor => linearOp({ x, weight, ...(bias ? { bias } : {}) }, { act });

/** `Σᵢ aᵢ·bᵢ` of two vectors. */
export const dot = composite("dot", (a: Tensor, b: Tensor): Tensor => {
  if (a.rank !== 1 || b.rank !== 1) throw new ShapeError("dot", `takes two vectors, got ${show(a)} and ${show(b)}`, { hint: "for matrices use matmul" });
  return a.matmul(b);
});

/** `y[i,j] = aᵢ·bⱼ` */
export const outer = composite("outer", (a: Tensor, b: Tensor): Tensor => {
  if (a.rank !== 1 || b.rank !== 1) throw new ShapeError("outer", `takes two vectors, got ${show(a)} and ${show(b)}`);
  return a.unsqueeze(1).mul(b.unsqueeze(0));
});

/** An operand with one label per dimension. */
interface Labelled {
  readonly t: Tensor;
  readonly labels: readonly string[];
}

/**
 * Einstein summation: `einsum("bij,bjk->bik", a, b)`. Labels that are missing on the right are summed; a label twice in one operand
 * is a diagonal; `...` stands for leading dimensions that broadcast. Without `->`, labels that occur once are kept, in alphabetical order.
 * Operands are contracted from left to right, each pair by one batched `matmul`.
 */
export const einsum = composite("einsum", (equation: string, ...operands: Tensor[]): Tensor => {
  const { inputs, output } = parse(equation, operands);
  let result = diagonals(inputs[0]!);
  for (let i = 1; i < inputs.length; i++) {
    const later = new Set([...output, ...inputs.slice(i + 1).flatMap((o) => o.labels)]);
    result = contract(result, diagonals(inputs[i]!), later);
  }
  result = sumOut(result, new Set(output));
  return result.t.permute(output.map((l) => result.labels.indexOf(l)));
});

/** Splits the equation; `...` becomes labels `.1`, `.2`, … counted from the right, so that they line up when broadcast. */
function parse(equation: string, operands: Tensor[]): { inputs: Labelled[]; output: string[] } {
  const fail = (why: string, hint?: string): never => {
    throw new ShapeError("einsum", `"${equation}": ${why}`, hint === undefined ? {} : { hint });
  };
  const [left, right, extra] = equation.replace(/\s/g, "").split("->");
  if (extra !== undefined || !/^[a-zA-Z.,]*$/.test(left!) || !/^[a-zA-Z.]*$/.test(right ?? "")) {
    throw new ArgumentError("einsum", `"${equation}" is not an equation`, { hint: 'letters, commas and one arrow, as in "ij,jk->ik"' });
  }
  const terms = left!.split(",");
  if (terms.length !== operands.length) fail(`names ${terms.length} operands, got ${operands.length}`);
  let most = 0;
  const inputs = terms.map((term, i): Labelled => {
    const t = operands[i]!;
    const dots = term.includes("...");
    const named = [...term.replace("...", "")];
    if (named.includes(".")) fail(`"${term}" has stray dots`, 'an ellipsis is "..."');
    const free = t.rank - named.length;
    if (dots ? free < 0 : free !== 0) fail(`"${term}" has ${named.length} labels, operand ${i + 1} is ${show(t)}`, "one label per dimension");
    most = Math.max(most, free);
    const at = term.indexOf("...");
    const lead = Array.from({ length: dots ? free : 0 }, (_, d) => `.${free - d}`);
    return { t, labels: dots ? [...named.slice(0, at), ...lead, ...named.slice(at)] : named };
  });
  const ellipsis = Array.from({ length: most }, (_, d) => `.${most - d}`);
  const all = inputs.flatMap((o) => o.labels);
  let output: string[];
  if (right === undefined) {
    output = [...ellipsis, ...[...new Set(all)].filter((l) => !l.startsWith(".") && all.indexOf(l) === all.lastIndexOf(l)).sort()];
  } else {
    const at = right.indexOf("...");
    const named = [...right.replace("...", "")];
    output = at < 0 ? named : [...named.slice(0, at), ...ellipsis, ...named.slice(at)];
    const unknown = output.find((l) => !all.includes(l));
    if (unknown !== undefined) fail(`"${unknown}" of the result is in no operand`);
    if (new Set(output).size !== output.length) fail("the result names a label twice");
  }
  for (const label of new Set(all)) {
    const sizes = [...new Set(inputs.flatMap(({ t, labels }) => labels.flatMap((l, d) => (l === label ? [t.shape[d]!] : []))))];
    if (sizes.filter((n) => n !== 1).length > 1) {
      throw new ShapeError("einsum", `"${equation}": label "${label}" is ${sizes.join(" and ")} in ${operands.map(show).join(", ")}`, { hint: "one label, one size" });
    }
  }
  return { inputs, output };
}

/** `x[…,i,…,i,…]` → its diagonal, by reading every (n+1)-th element of the flattened pair. */
function diagonals({ t, labels }: Labelled): Labelled {
  const second = labels.findIndex((l, d) => labels.indexOf(l) < d);
  if (second < 0) return { t, labels };
  const first = labels.indexOf(labels[second]!);
  const rest = labels.map((_, d) => d).filter((d) => d !== first && d !== second);
  const n = t.shape[first]!;
  if (n !== t.shape[second]) throw new ShapeError("einsum", `diagonal "${labels[first]}" of ${show(t)} is not square`);
  const lead = rest.map((d) => t.shape[d]!);
  const flat = t.permute([...rest, first, second]).reshape([...lead, n * n]) as Tensor;
  const square = flat.pad([[0, n]]).reshape([...lead, n, n + 1]) as Tensor;
  const diagonal = square.slice(-1, 0, 1).reshape([...lead, n]);
  return diagonals({ t: diagonal, labels: [...rest.map((d) => labels[d]!), labels[first]!] });
}

/** Sums over every label that nobody asks for any more. */
function sumOut({ t, labels }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const dims = labels.flatMap((l, d) => (wanted.has(l) ? [] : [d]));
  return dims.length === 0 ? { t, labels } : { t: t.sum(dims), labels: labels.filter((l) => wanted.has(l)) };
}

/** One pair: shared labels that are still wanted are the batch, shared ones that are not are summed by the product. */
function contract(left: Labelled, right: Labelled, later: ReadonlySet<string>): Labelled {
  const a = sumOut(left, new Set([...later, ...right.labels]));
  const b = sumOut(right, new Set([...later, ...left.labels]));
  const size = ({ t, labels }: Labelled, l: string): number => t.shape[labels.indexOf(l)]!;
  const shared = a.labels.filter((l) => b.labels.includes(l));
  const batch = shared.filter((l) => later.has(l));
  const summed = shared.filter((l) => !later.has(l));
  const rows = a.labels.filter((l) => !shared.includes(l));
  const cols = b.labels.filter((l) => !shared.includes(l));
  const inOrder = (o: Labelled, order: string[]): Tensor => o.t.permute(order.map((l) => o.labels.indexOf(l)));
  // A size-1 label of one side stands for any size of the other: expand before it is summed.
  const widths = summed.map((l) => Math.max(size(a, l), size(b, l)));
  const wide = (o: Labelled): Labelled => {
    if (summed.every((l, i) => size(o, l) === widths[i])) return o;
    return { t: o.t.expand(o.labels.map((l, d) => (summed.includes(l) ? widths[summed.indexOf(l)]! : o.t.shape[d]!))) as Tensor, labels: o.labels };
  };
  const shapeOf = (o: Labelled, labels: string[]): number[] => labels.map((l) => size(o, l));
  const k = sizeOf(widths);
  const x = inOrder(wide(a), [...batch, ...rows, ...summed]).reshape([...shapeOf(a, batch), sizeOf(shapeOf(a, rows)), k]); // [batch…, m, k]
  const y = inOrder(wide(b), [...batch, ...summed, ...cols]).reshape([...shapeOf(b, batch), k, sizeOf(shapeOf(b, cols))]); // [batch…, k, n]
  const z = (x as Tensor).matmul(y as Tensor);
  const both = broadcastShapes(shapeOf(a, batch), shapeOf(b, batch))!;
  return { t: z.reshape([...both, ...shapeOf(a, rows), ...shapeOf(b, cols)]) as Tensor, labels: [...batch, ...rows, ...cols] };
}
