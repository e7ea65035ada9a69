/** Batches of tensors from a dataset: `for await (const [x, y] of new DataLoader(dataset, { batchSize: 64, shuffle: true }))`. */
import { ArgumentError, Random, ScopeError, abandonScope, closeScope, nextStream, openScope, type Scope } from "@nn/tensor";
import { collate, toTensors, type Fields, type TensorsOf } from "./array.ts";
import { gather, type Dataset, type Pass } from "./dataset.ts";
import { sequential, shuffled, type Sampler } from "./sampler.ts";

export interface LoaderOptions<F extends Fields> {
  /** Samples per batch. Default 32. */
  batchSize?: number;
  /** A new order in every epoch. Default false. */
  shuffle?: boolean;
  /** Of the order and of random transforms. Default: follows `manualSeed`. */
  seed?: number;
  /** An order of your own, instead of `shuffle`. */
  sampler?: Sampler;
  /** Leaves out a last batch that is not full. Default false. */
  dropLast?: boolean;
  /** Batches asked for ahead, as plain arrays; useful where reading samples waits for something. Default 2. */
  prefetch?: number;
  /** Ends the tensors made in the loop body when the next batch is asked for. Default true. */
  scope?: boolean;
  /** Samples to one batch, where stacking is not enough. */
  collate?: (samples: F[]) => F;
  /** For messages. */
  name?: string;
}

/** Where a loader is: plain data for a checkpoint. */
export interface LoaderState {
  seed: number;
  epoch: number;
  /** Batches of this epoch that were handed out. */
  batch: number;
  batchSize: number;
  /** Samples in a pass; a state of other data is refused. */
  samples: number;
}

let made = 0;

/**
 * Each `for await` over a loader is one epoch; leaving it early ends the epoch. After `load(state)` the next loop goes on in the middle.
 *
 * The loop body runs in a tensor scope: what is made in it ends when the next batch is asked for, unless `keep`-ed or assigned to long-lived state.
 */
export class DataLoader<F extends Fields> implements AsyncIterable<TensorsOf<F>> {
  readonly dataset: Dataset<F>;
  readonly batchSize: number;
  readonly name: string;
  readonly #options: Required<Pick<LoaderOptions<F>, "dropLast" | "prefetch" | "scope" | "collate">>;
  readonly #sampler: Sampler;
  #seed: number;
  #epoch = 0;
  #batch = 0;
  #started = false; // a loop over the current epoch was begun and not finished
  #waited = 0;

  constructor(dataset: Dataset<F>, options: LoaderOptions<F> = {}) {
    const { batchSize = 32, shuffle = false, dropLast = false, prefetch = 2, scope = true } = options;
    positive("batchSize", batchSize, 1);
    positive("prefetch", prefetch, 0);
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.name = `DataLoader '${options.name ?? ++made}'`;
    this.#options = { dropLast, prefetch, scope, collate: options.collate ?? collate };
    this.#sampler = options.sampler ?? (shuffle ? shuffled(dataset.length) : sequential(dataset.length));
    this.#seed = options.seed ?? seedFromGlobal();
    void new Random(this.#seed); // refuses a bad seed here and not in the loop
  }

  /** Batches in an epoch. */
  get length(): number {
    const { length } = this.#sampler;
    return this.#options.dropLast ? Math.floor(length / this.batchSize) : Math.ceil(length / this.batchSize);
  }

  /** The epoch of the loop that runs, or else of the next one after a finished one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Milliseconds that loops have waited for batches so far: what reading, decoding and augmenting cost beyond what was done ahead. */
  get waited(): number {
    return this.#waited;
  }

  /** Position for a checkpoint. Batches handed out count as done, prefetched ones do not. */
  state(): LoaderState {
    return { seed: this.#seed, epoch: this.#epoch, batch: this.#batch, batchSize: this.batchSize, samples: this.#sampler.length };
  }

  /**
   * Goes on from a saved position: the next loop starts there.
   *
   * @throws ArgumentError if the state is of another number of samples or another batch size.
   */
  load(state: LoaderState): void {
    const { seed, epoch, batch, batchSize, samples } = state;
    if (batchSize !== this.batchSize || samples !== this.#sampler.length) {
      throw new ArgumentError(this.name, `the saved position is of ${samples} samples in batches of ${batchSize}, this loader has ${this.#sampler.length} in batches of ${this.batchSize}`);
    }
    positive("epoch", epoch, 0);
    positive("batch", batch, 0);
    if (batch > this.length) throw new ArgumentError(this.name, `the saved position is batch ${batch} of ${this.length}`);
    void new Random(seed);
    this.#seed = seed;
    this.#epoch = epoch;
    this.#batch = batch;
    this.#started = false;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<TensorsOf<F>> {
    if (this.#started) {
      this.#epoch++;
      this.#batch = 0;
    }
    this.#started = true;
    const pass = { seed: this.#seed, epoch: this.#epoch };
    return new Loop<F>({
      name: `the loop over ${this.name}`,
      scoped: this.#options.scope,
      prefetch: this.#options.prefetch,
      start: this.#batch,
      end: this.length,
      fetch: this.#fetcher(pass),
      waited: (milliseconds) => void (this.#waited += milliseconds),
      handedOut: (batch) => {
        if (pass.epoch === this.#epoch) this.#batch = batch + 1;
      },
      finished: () => {
        if (pass.epoch !== this.#epoch) return;
        this.#epoch++;
        this.#batch = 0;
        this.#started = false;
      },
    });
  }

  #fetcher(pass: Pass): (batch: number) => Promise<F> {
    const order = this.#sampler.order(pass, this.batchSize);
    return async (batch) => gather(this.dataset, order.subarray(batch * this.batchSize, (batch + 1) * this.batchSize), pass, this.#options.collate);
  }
}

interface Plan<F extends Fields> {
  name: string;
  scoped: boolean;
  prefetch: number;
  start: number;
  end: number;
  fetch(batch: number): Promise<F>;
  waited(milliseconds: number): void;
  handedOut(batch: number): void;
  finished(): void;
}

/** One pass. `next` closes the scope of the body before, and opens the one of the body to come. */
class Loop<F extends Fields> implements AsyncIterableIterator<TensorsOf<F>> {
  readonly #plan: Plan<F>;
  readonly #ahead: Promise<F>[] = [];
  #asked: number; // next batch to ask for
  #given: number; // next batch to hand out
  #scope: Scope | null = null;
  #waiting = false;
  #over = false;

  constructor(plan: Plan<F>) {
    this.#plan = plan;
    this.#asked = this.#given = plan.start;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<TensorsOf<F>, undefined>> {
    if (this.#waiting) throw new ScopeError(`${this.#plan.name}: next() was called again before the batch had arrived`);
    this.#waiting = true;
    try {
      this.#endBody();
      if (this.#over) return { done: true, value: undefined };
      if (this.#given === this.#plan.end) {
        this.#over = true;
        this.#plan.finished();
        return { done: true, value: undefined };
      }
      this.#ask();
      const begin = performance.now();
      const fields = await this.#ahead.shift()!;
      this.#plan.waited(performance.now() - begin);
      if (this.#over) return { done: true, value: undefined }; // return() came in the meantime
      this.#ask();
      if (this.#plan.scoped) this.#scope = openScope(this.#plan.name);
      const value = toTensors(fields);
      this.#plan.handedOut(this.#given++);
      return { done: false, value };
    } catch (error) {
      this.#stop(); // `for await` does not call return() when next() throws
      throw error;
    } finally {
      this.#waiting = false;
    }
  }

  async return(): Promise<IteratorResult<TensorsOf<F>, undefined>> {
    try {
      this.#endBody();
    } finally {
      this.#stop();
    }
    return { done: true, value: undefined };
  }

  /** @throws ScopeError naming both loops if another one was opened inside the body and is not finished. */
  #endBody(): void {
    if (this.#scope) closeScope(this.#scope);
    this.#scope = null;
  }

  #stop(): void {
    this.#over = true;
    this.#ahead.length = 0;
    if (this.#scope) abandonScope(this.#scope);
    this.#scope = null;
  }

  #ask(): void {
    while (this.#ahead.length <= this.#plan.prefetch && this.#asked < this.#plan.end) {
      const batch = this.#plan.fetch(this.#asked++);
      batch.catch(() => {}); // reported when its turn comes; a loop that is left before does not care
      this.#ahead.push(batch);
    }
  }
}

/** A seed from the global sequence, so that `manualSeed` fixes the order too. */
function seedFromGlobal(): number {
  const { seed, stream } = nextStream();
  return new Random(seed, stream).fork(0).seed;
}

function positive(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) throw new ArgumentError("DataLoader", `${name}: expected an integer from ${least}, got ${value}`);
}
