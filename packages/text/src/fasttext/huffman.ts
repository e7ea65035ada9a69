/** The tree of hierarchical softmax (Mikolov 2013, "Distributed Representations of Words and Phrases"): frequent targets have short paths. */
export class HuffmanTree {
  readonly leaves: number;
  /** Children of node leaves + i: left[i], right[i]. Leaves are the targets 0 … leaves - 1. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Path of target t, from the leaf up: inner nodes (from 0) and whether the path comes from the right, at [starts[t], starts[t + 1]). */
  readonly starts: Int32Array;
  readonly nodes: Int32Array;
  readonly codes: Uint8Array;

  /** `counts`: by target, falling, as in a dictionary. */
  constructor(counts: ArrayLike<number>) {
    const leaves = counts.length, inner = Math.max(0, leaves - 1), total = leaves + inner;
    this.leaves = leaves;
    this.left = new Int32Array(inner);
    this.right = new Int32Array(inner);
    const weight = new Float64Array(total).fill(1e15), parent = new Int32Array(total).fill(-1), fromRight = new Uint8Array(total);
    weight.set(counts);
    let leaf = leaves - 1, node = leaves;
    const lightest = (): number => (leaf >= 0 && weight[leaf]! < weight[node]! ? leaf-- : node++);
    for (let i = leaves; i < total; i++) {
      const left = lightest(), right = lightest();
      this.left[i - leaves] = left;
      this.right[i - leaves] = right;
      weight[i] = weight[left]! + weight[right]!;
      parent[left] = parent[right] = i;
      fromRight[right] = 1;
    }
    const nodes: number[] = [], codes: number[] = [];
    this.starts = new Int32Array(leaves + 1);
    for (let target = 0; target < leaves; target++) {
      for (let i = target; parent[i]! >= 0; i = parent[i]!) {
        nodes.push(parent[i]! - leaves);
        codes.push(fromRight[i]!);
      }
      this.starts[target + 1] = nodes.length;
    }
    this.nodes = Int32Array.from(nodes);
    this.codes = Uint8Array.from(codes);
  }
}
