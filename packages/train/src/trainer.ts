/**
 * The training loop: epochs over a loader, one optimizer step per batch (or per few), a schedule, clipping, callbacks.
 * Its whole state can be taken out and put back between any two batches, and then goes on with the same bits.
 */
import type { DataLoader, Fields, LoaderState, TensorsOf } from "@nn/data";
import type { Module } from "@nn/layers";
import { clipGradNorm, type Optimizer, type OptimizerState } from "@nn/optim";
import { ArgumentError, NnError, RowGradient, randomState, scope, setRandomState, tensor, variable, type RandomStream, type Tensor } from "@nn/tensor";
import { breath } from "./breath.ts";
import { Mean } from "./metrics.ts";

export interface TrainerOptions<F extends Fields> {
  model: Module;
  optimizer: Optimizer<{ lr: number }>;
  loader: DataLoader<F>;
  epochs: number;
  /** The scalar to minimise, from a batch. */
  loss: (batch: TensorsOf<F>, model: Module) => Tensor;
  /** Factor on the optimizer's first rate for update 0, 1, …; see `schedule` in @nn/optim. */
  schedule?: (step: number) => number;
  /** Largest global gradient norm. */
  clipNorm?: number;
  /** What clipping does with gradients that are not finite: throw a GradError (default), or skip this update. */
  nonFinite?: "raise" | "skip";
  /** Batches to an update, which follows the mean of their gradients. Default 1, as it must be for an optimizer that needs a closure. */
  accumulate?: number;
  callbacks?: Callback[];
}

/** What callbacks are told after a batch. */
export interface StepInfo {
  /** Epoch and batch just done, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
  readonly batches: number;
  /** Loss of this batch, and mean over the epoch so far. */
  readonly loss: number;
  readonly meanLoss: number;
  readonly lr: number;
  /** Samples in this batch. */
  readonly samples: number;
}

/** One line of the history; callbacks may add numbers, such as validation accuracy. */
export interface EpochInfo {
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  [metric: string]: number;
}

export interface Callback {
  /** Before batch 1, 2, … is trained on; `loss()` computes its loss. Synchronous: the batch ends with its step. */
  onBatch?(batch: number, loss: () => Tensor, trainer: TrainerView): void;
  onStep?(info: StepInfo, trainer: TrainerView): void | Promise<void>;
  onEpoch?(info: EpochInfo, trainer: TrainerView): void | Promise<void>;
}

/** The trainer as callbacks see it. */
export interface TrainerView {
  readonly history: readonly EpochInfo[];
  readonly model: Module;
  state(): TrainerState;
  stop(): void;
}

/** Everything a run needs to go on: plain data beside live tensors (read them at once, they change with the next step). */
export interface TrainerState {
  readonly tensors: Map<string, Tensor>;
  readonly optimizer: Omit<OptimizerState, "tensors">;
  readonly loader: LoaderState;
  readonly random: RandomStream;
  readonly history: EpochInfo[];
  readonly mean: { sum: number; count: number };
  readonly baseRates: number[];
}

/** Training met a loss that is not a number. */
export class DivergedError extends NnError {}

export class Trainer<F extends Fields> implements TrainerView {
  readonly model: Module;
  readonly #options: TrainerOptions<F>;
  #history: EpochInfo[] = [];
  #mean = new Mean();
  #baseRates: number[];
  #stopped = false;

  constructor(options: TrainerOptions<F>) {
    const { optimizer, accumulate = 1 } = options;
    if (optimizer.needsClosure && accumulate > 1) {
      throw new ArgumentError("Trainer", `accumulate is ${accumulate}, but ${optimizer.constructor.name} evaluates the loss of a batch again`, { hint: "larger batches" });
    }
    this.#options = options;
    this.model = options.model;
    this.#baseRates = optimizer.groups.map((g) => g.options.lr);
  }

  get history(): readonly EpochInfo[] {
    return this.#history;
  }

  /** Ends `fit` after the current batch; the state can be saved and continued. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Trains to the end, or until `stop()`; called again, it goes on from there. Returns true if all epochs are done.
   *
   * @throws DivergedError if the loss is not finite.
   */
  async fit(): Promise<boolean> {
    const { loader, epochs, callbacks = [] } = this.#options;
    if (loader.length === 0) throw new ArgumentError("Trainer", `${loader.name} has no batches`);
    const breathe = breath();
    loader.load(loader.state()); // a loop that was left begins a new epoch; a position that was loaded goes on in the middle
    this.#stopped = false;
    this.model.train();
    while (loader.epoch < epochs && !this.#stopped) {
      const epoch = loader.epoch + 1;
      for await (const batch of loader) {
        const info = this.#step(batch, epoch, loader.state().batch);
        for (const c of callbacks) await c.onStep?.(info, this);
        await breathe();
        if (this.#stopped) break;
      }
      if (this.#stopped) break;
      const line: EpochInfo = { epoch, loss: this.#mean.value, lr: this.#options.optimizer.lr };
      this.#mean = new Mean();
      this.#history.push(line);
      for (const c of callbacks) await c.onEpoch?.(line, this);
      this.model.train(); // a callback may have evaluated
    }
    return !this.#stopped;
  }

  #step(batch: TensorsOf<F>, epoch: number, done: number): StepInfo {
    const { optimizer, loader, loss, schedule, clipNorm, nonFinite = "raise", accumulate = 1, epochs, callbacks = [] } = this.#options;
    const factor = schedule?.(optimizer.stepCount) ?? 1;
    optimizer.groups.forEach((g, i) => (g.options.lr = this.#baseRates[i]! * factor));
    const first = (Object.values(batch) as Tensor[])[0]!;
    for (const c of callbacks) c.onBatch?.(done, () => loss(batch, this.model), this);
    // The mean over the batches of this update; the last one of an epoch may have fewer.
    const before = Math.floor((done - 1) / accumulate) * accumulate;
    const together = Math.min(accumulate, loader.length - before);
    let value: number | null = null;
    const evaluate = (): number => scope(() => {
      const l = loss(batch, this.model);
      const number = l.item();
      if (value === null && !Number.isFinite(number)) { // later on a line search may go too far
        throw new DivergedError(`the loss is ${number} in epoch ${epoch}, batch ${done}`, { hint: `lower the learning rate (now ${optimizer.lr}), clip gradients, or look for the op with detectAnomaly()` });
      }
      (together > 1 ? l.div(together) : l).backward();
      value ??= number;
      return number;
    }, "a training step");
    const clip = (): void => {
      if (clipNorm !== undefined) clipGradNorm(this.model.parameters(), clipNorm, { nonFinite });
    };

    if (optimizer.needsClosure) {
      const random = randomState();
      optimizer.step(() => {
        setRandomState(random); // dropout is the same in all evaluations: they are of one function
        optimizer.zeroGrad();
        const number = evaluate();
        clip();
        return number;
      });
      optimizer.zeroGrad();
    } else {
      evaluate();
      if (done % accumulate === 0 || done === loader.length) {
        clip();
        optimizer.step();
        optimizer.zeroGrad();
      }
    }
    const samples = first.shape[0] ?? 1;
    this.#mean.add(value!, samples);
    return { epoch, epochs, batch: done, batches: loader.length, loss: value!, meanLoss: this.#mean.value, lr: optimizer.lr, samples };
  }

  /** For a checkpoint, between any two batches. */
  state(): TrainerState {
    const { optimizer, loader } = this.#options;
    const { tensors, ...rest } = optimizer.stateDict();
    const named = new Map<string, Tensor>();
    for (const [name, t] of this.model.stateDict()) named.set(`model.${name}`, t);
    for (const [name, t] of tensors) named.set(`optimizer.${name}`, t);
    // Only between the batches of one update (`accumulate`) are there gradients.
    for (const [name, { grad }] of this.model.namedParameters()) {
      if (grad) named.set(`grad.${name}`, grad);
      if (grad instanceof RowGradient) named.set(`gradRows.${name}`, tensor(grad.rows));
    }
    return {
      tensors: named,
      optimizer: rest,
      loader: loader.state(),
      random: randomState(),
      history: this.#history.map((h) => ({ ...h })),
      mean: { sum: this.#mean.sum, count: this.#mean.count },
      baseRates: [...this.#baseRates],
    };
  }

  /**
   * Goes on where `state` was taken: the same bits as without the interruption.
   *
   * @throws ArgumentError or StateDictError if it belongs to another model, optimizer or data.
   */
  load(state: TrainerState): void {
    const { optimizer, loader } = this.#options;
    if (state.baseRates.length !== optimizer.groups.length) throw new ArgumentError("Trainer", `state has ${state.baseRates.length} learning rates, the optimizer ${optimizer.groups.length} groups`);
    const part = (prefix: string) => new Map([...state.tensors].filter(([name]) => name.startsWith(prefix)).map(([name, t]) => [name.slice(prefix.length), t]));
    this.model.loadStateDict(part("model."));
    optimizer.loadStateDict({ ...state.optimizer, tensors: part("optimizer.") });
    const [grads, gradRows] = [part("grad."), part("gradRows.")];
    const parameters = new Map(this.model.namedParameters());
    for (const [name, { dtype, shape }] of grads) {
      const p = parameters.get(name);
      const whole = [...(gradRows.has(name) ? (p?.shape.slice(0, 1) ?? []) : shape.slice(0, 1)), ...shape.slice(1)];
      if (p?.dtype !== dtype || p.shape.join() !== whole.join()) throw new ArgumentError("Trainer", `gradient '${name}' is ${dtype}[${shape.join(",")}], which fits no parameter of that name`);
    }
    for (const [name, p] of parameters) {
      const grad = grads.get(name);
      const rows = gradRows.get(name)?.dataSync() as Int32Array | undefined;
      p.grad = grad ? variable(grad) : null;
      if (p.grad && rows) p.grad = new RowGradient(p.grad, rows, p.shape[0]!, null);
    }
    loader.load(state.loader);
    setRandomState(state.random);
    this.#history = state.history.map((h) => ({ ...h }));
    this.#mean = Object.assign(new Mean(), state.mean);
    this.#baseRates = [...state.baseRates];
  }
}
