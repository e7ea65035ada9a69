/** Averages of the weights along the path of training. */
import { ArgumentError, noGrad, runOver, traceProgram, variable, zeros, type Backend, type Tensor, type Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";

export interface WeightAverageOptions {
  /** "ema": `ā ← βā + (1−β)w` (Polyak & Juditsky 1992, as Tarvainen & Valpola 2017). "swa": the mean of all updates (Izmailov 2018). */
  kind?: "ema" | "swa";
  /** β of "ema". */
  decay?: number;
}

/** As a checkpoint holds it. */
export interface WeightAverageState {
  readonly updates: number;
  readonly tensors: Map<string, Tensor>;
}

/**
 * A second set of weights: `update()` after a step ("ema") or an epoch ("swa"), `swap()` or `during(f)` to evaluate with it.
 * The first update copies the weights, as PyTorch's AveragedModel does. Pass buffers that should be averaged too;
 * otherwise recompute the statistics of batch normalisation under the averaged weights.
 */
export class WeightAverage {
  readonly kind: "ema" | "swa";
  readonly decay: number;
  readonly #weights: readonly Variable[];
  readonly #averages: readonly Variable[];
  #updates = 0;
  #swapped = false;

  constructor(params: Iterable<Variable>, { kind = "ema", decay = 0.999 }: WeightAverageOptions = {}) {
    checkRange("WeightAverage", "decay", decay, 0, 1);
    [this.kind, this.decay] = [kind, decay];
    this.#weights = [...params];
    if (this.#weights.length === 0) throw new ArgumentError("WeightAverage", "no parameters", { hint: "pass model.parameters()" });
    this.#averages = this.#weights.map((w) => variable(zeros(w.shape, { dtype: w.dtype })));
  }

  get updates(): number {
    return this.#updates;
  }
  /** The averages in the order of the parameters; the weights themselves while swapped. */
  get averages(): readonly Tensor[] {
    return this.#averages;
  }

  /** Takes in the weights as they are now. */
  update(): void {
    if (this.#swapped) throw new ArgumentError("WeightAverage", "update() while the averages are swapped in", { hint: "swap() back first" });
    const share = this.kind === "ema" ? 1 - this.decay : 1 / (this.#updates + 1);
    this.#mix(this.#updates === 0 ? 1 : share);
    this.#updates++;
  }

  /** `ā ← ā + share·(w − ā)`: f32 in one pass per engine. */
  #mix(share: number): void {
    const lists = new Map<Backend, { inputs: Tensor[]; outputs: Tensor[] }[]>();
    noGrad(() => {
      this.#weights.forEach((w, i) => {
        const average = this.#averages[i]!;
        if (w.dtype !== "f32") return void average.write(average.add(w.sub(average).mul(share)).dataSync(), "WeightAverage");
        const list = lists.get(w.backend) ?? [];
        lists.set(w.backend, list);
        list.push({ inputs: [average, w], outputs: [average] });
      });
    });
    for (const [backend, segments] of lists) runOver(backend, mixing(), segments, [share], "WeightAverage");
  }

  /** Exchanges weights and averages; again to go back, with the same bits. */
  swap(): void {
    if (this.#updates === 0) throw new ArgumentError("WeightAverage", "swap() before the first update()");
    this.#weights.forEach((w, i) => {
      const average = this.#averages[i]!;
      const kept = w.dataSync();
      w.write(average.dataSync(), "WeightAverage.swap()");
      average.write(kept, "WeightAverage.swap()");
    });
    this.#swapped = !this.#swapped;
  }

  /** Runs `f` with the averages as weights, then goes back. */
  async during<T>(f: () => T | Promise<T>): Promise<T> {
    this.swap();
    try {
      return await f();
    } finally {
      this.swap();
    }
  }

  /** The tensors are the average's own. */
  stateDict(): WeightAverageState {
    if (this.#swapped) throw new ArgumentError("WeightAverage", "stateDict() while the averages are swapped in", { hint: "swap() back first" });
    return { updates: this.#updates, tensors: new Map(this.#averages.map((t, i) => [String(i), t])) };
  }
  /** @throws ArgumentError if `state` is of other weights. */
  loadStateDict({ updates, tensors }: WeightAverageState): void {
    if (this.#swapped) throw new ArgumentError("WeightAverage", "loadStateDict() while the averages are swapped in", { hint: "swap() back first" });
    this.#averages.forEach((average, i) => {
      const saved = tensors.get(String(i));
      if (saved?.shape.join() !== average.shape.join()) throw new ArgumentError("WeightAverage", `state '${i}' does not fit a weight of shape [${average.shape.join(",")}]`);
    });
    this.#averages.forEach((average, i) => average.write(tensors.get(String(i))!.dataSync(), "loadStateDict"));
    this.#updates = updates;
  }
}

let program: ReturnType<typeof traceProgram> | null = null;
const mixing = () => (program ??= traceProgram("weight average", 2, 1, ([average, w], [share]) => [average!.add(w!.sub(average!).mul(share!))]));
