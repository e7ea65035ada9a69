/** A dataset that is read, decoded and augmented in worker threads, while the thread that trains goes on. */
import { Worker } from "node:worker_threads";
import { ArgumentError, NnError } from "@nn/tensor";
import { mapFields, rowAt, type Fields } from "./array.ts";
import { Skipped, type Gathered, type SkipOptions } from "./corrupt.ts";
import type { Dataset, Pass } from "./dataset.ts";

export interface WorkerDatasetOptions extends SkipOptions {
  /** Threads. Default 2. A batch is made by one of them: give the loader a `prefetch` of as many or more. */
  workers?: number;
  /** Plain data for the module's `dataset`. */
  argument?: unknown;
  /** Samples that cannot be read: "throw" (default) ends the loop with the error, "skip" leaves them out, counted and named in `skipped`. */
  corrupt?: "throw" | "skip";
}

/** A worker could not make its dataset, failed at a batch, or ended. */
export class DataWorkerError extends NnError {}

/** What is sent to a worker, and what comes back. */
export interface Order {
  readonly id: number;
  readonly indices: Int32Array;
  readonly pass: Pass;
  readonly skip: boolean;
}
export type Reply = { readonly length: number } | ({ readonly id: number } & (Gathered<Fields> | { readonly error: string }));

interface Waiting {
  resolve(made: Gathered<Fields>): void;
  reject(error: Error): void;
}

/**
 * Batches of the dataset that a module's `dataset(argument)` returns, made in threads. What is random in them has an address (seed, epoch, sample), so
 * they are the same for any number of threads. The arrays of a batch are handed over, not copied: a `gather` of one's own returns fresh ones.
 *
 *     // flowers.ts
 *     export const dataset = (dir: string) => mapDataset(new ImageFiles(…), augment);
 *     // train.ts
 *     const train = await WorkerDataset.open(new URL("./flowers.ts", import.meta.url), { workers: 2, argument: dir, corrupt: "skip" });
 */
export class WorkerDataset<F extends Fields> implements Dataset<F> {
  readonly length: number;
  readonly #threads: readonly Thread[];
  readonly #skipped: Skipped;
  readonly #skip: boolean;

  private constructor(threads: readonly Thread[], length: number, { corrupt = "throw", ...options }: WorkerDatasetOptions) {
    this.#threads = threads;
    this.length = length;
    this.#skip = corrupt === "skip";
    this.#skipped = new Skipped(options);
  }

  /** Starts the threads. @throws DataWorkerError if the module does not load or its dataset cannot be made. */
  static async open<F extends Fields>(module: URL, options: WorkerDatasetOptions = {}): Promise<WorkerDataset<F>> {
    const { workers = 2, argument } = options;
    if (!Number.isInteger(workers) || workers < 1) throw new ArgumentError("WorkerDataset", `workers is ${workers}, must be an integer from 1`);
    const threads = Array.from({ length: workers }, () => new Thread(module, argument));
    try {
      const [length] = await Promise.all(threads.map((thread) => thread.ready));
      return new WorkerDataset<F>(threads, length!, options);
    } catch (error) {
      for (const thread of threads) thread.end();
      throw error;
    }
  }

  /** Samples left out so far, by index, with the reason. */
  get skipped(): ReadonlyMap<number, string> {
    return this.#skipped.samples;
  }

  async get(index: number, pass: Pass): Promise<F> {
    return mapFields(await this.gather([index], pass), (field) => rowAt(field, 0)) as F;
  }

  async gather(indices: ArrayLike<number>, pass: Pass): Promise<F> {
    const thread = this.#threads.reduce((least, next) => (next.load < least.load ? next : least));
    return this.#skipped.take((await thread.order(Int32Array.from(indices), pass, this.#skip)) as Gathered<F>);
  }

  /** Ends the threads. Idle ones keep no program running. */
  close(): void {
    for (const thread of this.#threads) thread.end();
  }
}

/** One worker and the batches it owes. */
class Thread {
  readonly ready: Promise<number>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #ended: Error | null = null;
  #next = 0;

  constructor(module: URL, argument: unknown) {
    this.#worker = new Worker(new URL("./dataset-worker.node.ts", import.meta.url), {
      workerData: { module: module.href, argument },
      execArgv: process.execArgv.filter((flag) => !flag.startsWith("--input-type")), // of programs given as text; files refuse it
      name: "nn data",
    });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on("message", (reply: Reply) => {
        if ("id" in reply) return this.#answer(reply.id, reply);
        this.#worker.unref();
        resolve(reply.length);
      });
      const end = (error: Error): void => {
        this.#fail(error);
        reject(this.#ended!);
      };
      this.#worker.on("error", (cause: Error) => end(new DataWorkerError(`a data worker failed: ${cause.message}`, { cause })));
      this.#worker.on("exit", (code) => end(new DataWorkerError(`a data worker ended with code ${code}`)));
    });
    this.ready.catch(() => {}); // `open` waits for it
  }

  /** Batches under way. */
  get load(): number {
    return this.#waiting.size;
  }

  order(indices: Int32Array, pass: Pass, skip: boolean): Promise<Gathered<Fields>> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#next++;
    this.#worker.ref(); // whoever waits for a batch keeps the program running
    this.#worker.postMessage({ id, indices, pass, skip } satisfies Order);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  end(): void {
    this.#fail(new DataWorkerError("the data workers were closed"));
    void this.#worker.terminate();
  }

  #answer(id: number, reply: Gathered<Fields> | { error: string }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ("error" in reply) waiting?.reject(new DataWorkerError(reply.error));
    else waiting?.resolve(reply);
  }

  /** The first reason stays. */
  #fail(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
