import { ArgumentError, Random, ShapeError } from "@nn/tensor";

type Vector = readonly number[];
/** One row per node: the weights of its inputs, then its bias. */
export type NodeRows = readonly Vector[];

/** Activations whose slope can be read off their value `a`. */
const activations = {
  sigmoid: { value: (net: number): number => (net >= 0 ? 1 / (1 + Math.exp(-net)) : Math.exp(net) / (1 + Math.exp(net))), slope: (a: number): number => a * (1 - a) },
  tanh: { value: Math.tanh, slope: (a: number): number => (1 - a) * (1 + a) },
  identity: { value: (net: number): number => net, slope: (): number => 1 },
};

/** A node of one pass. Nodes are numbered from 1, inputs first. */
export interface NodeTrace {
  readonly node: number;
  /** w·x + b; null for an input. */
  readonly net: number | null;
  /** Its output. */
  readonly a: number;
  /** −∂E/∂net; null for an input. */
  readonly delta: number | null;
}
export interface PassTrace {
  /** Layer by layer, inputs first. */
  readonly layers: readonly (readonly NodeTrace[])[];
  /** ½ Σ (t−y)² before the update. */
  readonly error: number;
  /** ∂E/∂w in the places of the weights, bias last. */
  readonly gradient: readonly (readonly number[][])[];
}

/**
 * A fully connected network trained sample by sample with every number in sight, as one does it on paper (Rumelhart 1986, "Learning
 * representations by back-propagating errors"; Mitchell 1997, chapter 4). No tensor and no tape: it is there to be read and compared with.
 *
 *     output δⱼ = (tⱼ − yⱼ)·f'(netⱼ)      hidden δⱼ = f'(netⱼ)·Σₖ δₖ wₖⱼ      wⱼᵢ ← wⱼᵢ + η·δⱼ·xⱼᵢ
 *
 * `wⱼᵢ` leads from node i to node j. The bias is the weight of a constant input 1; its column takes no part in what flows back.
 */
export class BackPropagation {
  readonly activation: keyof typeof activations;
  readonly inputs: number;
  readonly #layers: number[][][];

  /** @param layers rows of each layer after the inputs, bias last in every row. */
  constructor(layers: readonly NodeRows[], { activation = "sigmoid" }: { activation?: keyof typeof activations } = {}) {
    this.#layers = layers.map((rows) => rows.map((row) => [...row]));
    this.inputs = (layers[0]?.[0]?.length ?? 0) - 1;
    this.activation = activation;
    let width = this.inputs;
    for (const rows of layers) {
      for (const row of rows) if (row.length !== width + 1) throw new ShapeError("BackPropagation", `a row has ${row.length} numbers where ${width} inputs and a bias need ${width + 1}`);
      width = rows.length;
    }
    if (this.inputs < 1 || width < 1) throw new ShapeError("BackPropagation", "needs at least one layer with one node");
  }

  /** A network of `sizes` (inputs first) with weights from U(−bound, bound). */
  static random(sizes: readonly number[], { seed = 0, bound = 0.5, ...options }: { seed?: number; bound?: number; activation?: keyof typeof activations } = {}): BackPropagation {
    const random = new Random(seed);
    let drawn = 0;
    const draw = (): number => (2 * random.uniform(drawn++) - 1) * bound;
    const rows = sizes.slice(1).map((n, l) => Array.from({ length: n }, () => Array.from({ length: sizes[l]! + 1 }, draw)));
    return new BackPropagation(rows, options);
  }

  /** A copy of all weights, layer by layer. */
  get layers(): number[][][] {
    return this.#layers.map((rows) => rows.map((row) => [...row]));
  }

  /** The weight that leads from node `from` (or from the constant 1: "b") to node `to`. */
  weight(to: number, from: number | "b"): number {
    let first = this.inputs + 1; // number of the layer's first node
    let before = 1; // number of its first input
    for (const rows of this.#layers) {
      const row = rows[to - first];
      const value = row?.[from === "b" ? row.length - 1 : from - before];
      if (row && value !== undefined && (from === "b" || from < first)) return value;
      [before, first] = [first, first + rows.length];
    }
    throw new ArgumentError("weight", `no weight leads from node ${from} to node ${to}`, { hint: `nodes 1 … ${this.inputs} are inputs; each layer follows the one before` });
  }

  predict(x: Vector): number[] {
    return this.#forward(x).at(-1)!.a;
  }

  /** Forward and backward pass of one sample; changes nothing. */
  pass(x: Vector, target: Vector): PassTrace {
    const forward = this.#forward(x);
    const y = forward.at(-1)!.a;
    if (target.length !== y.length) throw new ShapeError("BackPropagation", `${target.length} targets for ${y.length} output nodes`);
    const { slope } = activations[this.activation];
    const deltas: number[][] = [];
    deltas[this.#layers.length - 1] = y.map((v, j) => (target[j]! - v) * slope(v));
    for (let l = this.#layers.length - 2; l >= 0; l--) {
      const above = this.#layers[l + 1]!;
      deltas[l] = forward[l]!.a.map((a, j) => slope(a) * above.reduce((sum, row, k) => sum + deltas[l + 1]![k]! * row[j]!, 0));
    }
    let number = 1;
    const inputs = [...x].map((a): NodeTrace => ({ node: number++, net: null, a, delta: null }));
    const nodes = forward.map(({ net, a }, l) => a.map((v, j): NodeTrace => ({ node: number++, net: net[j]!, a: v, delta: deltas[l]![j]! })));
    return {
      layers: [inputs, ...nodes],
      error: y.reduce((sum, v, j) => sum + 0.5 * (target[j]! - v) ** 2, 0),
      gradient: deltas.map((delta, l) => delta.map((d) => [...(l === 0 ? x : forward[l - 1]!.a), 1].map((v) => -d * v))),
    };
  }

  /** One step on one sample: returns the pass it was made from. */
  learn(x: Vector, target: Vector, rate: number): PassTrace {
    const trace = this.pass(x, target);
    trace.gradient.forEach((rows, l) => rows.forEach((row, j) => row.forEach((g, i) => (this.#layers[l]![j]![i]! -= rate * g))));
    return trace;
  }

  #forward(x: Vector): { net: number[]; a: number[] }[] {
    if (x.length !== this.inputs) throw new ShapeError("BackPropagation", `${x.length} numbers for ${this.inputs} input nodes`);
    const { value } = activations[this.activation];
    let below: Vector = x;
    return this.#layers.map((rows) => {
      const net = rows.map((row) => [...below, 1].reduce((sum, v, i) => sum + v * row[i]!, 0));
      const a = net.map(value);
      below = a;
      return { net, a };
    });
  }
}
