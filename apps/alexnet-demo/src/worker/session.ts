/** One network in training: a Trainer that can be paused between any two batches and tells how it goes. */
import { DataLoader, gather, toTensors, type NdArray } from "@nn/data";
import { exportOnnx } from "@nn/io";
import { crossEntropy } from "@nn/layers";
import { diagnose, DivergedError, evaluate, Trainer } from "@nn/train";
import { manualSeed, noGrad, scope, zeros, type Tensor } from "@nn/tensor";
import type { AlexNetFashion } from "@nn/vision";
import type { FromWorker, Health, Pixels } from "../shared/protocol.ts";
import { SIDE, type Settings, type TrainingSettings } from "../shared/settings.ts";
import { samples, type Data } from "./data.ts";
import { Every } from "./every.ts";
import { exciting, layerTimes, looking, view } from "./look.ts";
import { encodeNetwork, makeNetwork, makeOptimizer } from "./network.ts";

type Fields = [NdArray, NdArray];
type Post = (message: FromWorker) => void;

const PROGRESS = 120, VIEW = 500, FIRST = 800, EVALUATION = 2500, COPY = 15_000; // ms from one to the next

export class Session {
  settings: Settings;
  readonly model: AlexNetFashion;
  picture: Pixels | null = null;
  readonly #data: Data;
  readonly #post: Post;
  #trainer!: Trainer<Fields>;
  #loader!: DataLoader<Fields>;
  #loop: Promise<void> | null = null;
  #single = false;
  #quiet = false; // no test when the loop ends
  #epochs = 0; // with loaders that were replaced
  #step = 0;
  #lap = 0; // when the batch before was done
  #since = { samples: 0, hits: 0, loss: 0, ms: 0 };
  readonly #progress = new Every(PROGRESS);
  readonly #view = new Every(VIEW);
  readonly #evaluation = new Every(EVALUATION);
  readonly #copy = new Every(COPY);

  constructor(settings: Settings, data: Data, post: Post, weights?: ReadonlyMap<string, Tensor>) {
    this.settings = settings;
    this.#data = data;
    this.#post = post;
    manualSeed(1);
    this.model = makeNetwork(settings.network, data.classes.length);
    if (weights) this.model.loadStateDict(weights);
    this.#prepare();
  }

  /** Passes over the training set, with fraction. */
  get epoch(): number {
    const { epoch, batch } = this.#loader.state();
    return this.#epochs + epoch + batch / this.#loader.length;
  }

  get running(): boolean {
    return this.#loop !== null;
  }

  #prepare(): void {
    const { training } = this.settings;
    const loader = new DataLoader<Fields>(samples(this.#data.train, training.augment), { batchSize: training.batch, shuffle: true, seed: 1 + Math.floor(this.#epochs), name: "training set" });
    this.#loader = loader;
    this.#trainer = new Trainer<Fields>({
      model: this.model,
      optimizer: makeOptimizer(this.model, training),
      loader,
      epochs: Infinity,
      loss: ([x, y]) => {
        const logits = this.model.call(x);
        this.#since.hits += hits(logits, y);
        return crossEntropy(logits, y);
      },
      callbacks: [{ onStep: ({ loss, samples: n }) => this.#stepped(loss, n) }],
    });
  }

  /** Learns on until `stop`. */
  run(): void {
    if (this.running) return;
    this.#post({ type: "running" });
    this.#lap = performance.now();
    this.#evaluation.wait(FIRST);
    this.#loop = this.#fit().catch(crash).finally(() => {
      this.#loop = null;
      this.#post({ type: "paused" });
    });
  }

  /** One batch. */
  async step(): Promise<void> {
    await this.stop();
    this.#single = true;
    this.run();
    await this.#loop;
    this.#single = false;
  }

  /** Resolves between two batches, and with `quiet` without a last test. */
  async stop({ quiet = false } = {}): Promise<void> {
    this.#quiet = quiet;
    this.#trainer.stop();
    await this.#loop;
    this.#quiet = false;
  }

  /** Another rate, optimizer or batch size; the network keeps what it has learnt. */
  async tune(training: TrainingSettings): Promise<void> {
    const { running } = this;
    await this.stop({ quiet: true });
    this.#epochs = this.epoch;
    this.settings = { ...this.settings, training };
    this.#prepare();
    if (running) this.run();
  }

  async dispose(): Promise<void> {
    await this.stop({ quiet: true });
    this.model.dispose();
  }

  async #fit(): Promise<void> {
    try {
      await this.#trainer.fit();
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      this.#post({ type: "failed", kind: "diverged", message: error.message });
    }
    this.#report();
    if (this.#quiet) return;
    await this.evaluate();
    this.look();
  }

  async #stepped(loss: number, n: number): Promise<void> {
    const now = performance.now();
    this.#step++;
    this.#since.samples += n;
    this.#since.loss += loss * n;
    this.#since.ms += now - this.#lap;
    if (this.#single) this.#trainer.stop();
    if (this.#progress.due(now)) this.#report();
    if (this.#view.due(now)) this.look();
    if (this.#evaluation.due(now)) {
      await this.evaluate();
      this.#evaluation.wait(Math.max(EVALUATION, 8 * (performance.now() - now))); // most of the time is for learning
    }
    if (this.#copy.due(now)) this.#post({ type: "saved", asked: false, file: this.file() });
    this.#lap = performance.now();
  }

  #report(): void {
    const { samples: n, hits: right, loss, ms } = this.#since;
    if (n === 0) return;
    this.#since = { samples: 0, hits: 0, loss: 0, ms: 0 };
    this.#post({ type: "progress", epoch: this.epoch, step: this.#step, loss: loss / n, accuracy: right / n, rate: (1000 * n) / ms });
  }

  /** On all test pictures. */
  async evaluate(): Promise<void> {
    const loader = new DataLoader<Fields>(samples(this.#data.test), { batchSize: 250, seed: 0, name: "test set" });
    const predicted: number[] = [];
    const { loss, accuracy, confusion } = await evaluate(this.model, loader, {
      classes: this.#data.classes.length,
      predict: ([x, labels]) => {
        const logits = this.model.call(x);
        for (const k of logits.argmax(1).dataSync()) predicted.push(k);
        return { logits, labels, loss: crossEntropy(logits, labels) };
      },
    });
    this.#post({ type: "evaluation", epoch: this.epoch, loss, accuracy, confusion: confusion.counts, predicted: Uint8Array.from(predicted) });
  }

  /** Follows the chosen picture. */
  look(): void {
    if (this.picture) this.#post({ type: "view", ...view(this.model, this.picture) });
  }

  exciting(stage: number, channel: number): number[] {
    return exciting(this.model, this.#data.test, stage, channel);
  }

  file(): Uint8Array {
    return encodeNetwork(this.model, this.settings.network);
  }

  /** For other programs: opset 17, batches of any size. */
  onnx(): Uint8Array {
    return looking(this.model, () => exportOnnx(this.model, zeros([1, 1, SIDE, SIDE])));
  }

  /** Gradients and times of one batch of the training set. */
  async health(): Promise<Health> {
    const { batch } = this.settings.training;
    const set = samples(this.#data.train);
    const fields = await gather(set, Array.from({ length: batch }, (_, i) => i), { seed: 0, epoch: 0 });
    return scope(() => {
      const [x, y] = toTensors(fields);
      const { verdict, layers, findings } = diagnose(this.model, () => crossEntropy(this.model.call(x), y));
      return {
        verdict,
        batch,
        layers: layers.map(({ path, kind, gradNorm, weightNorm, saturated, dead }) => ({ path, kind, gradNorm, weightNorm, saturated, dead })),
        findings: findings.map(({ text, cures }) => ({ text, cures })),
        times: layerTimes(this.model, x),
      };
    }, "health");
  }
}

/** An error that nobody expected ends the worker: the page begins with a new one. */
function crash(error: unknown): void {
  setTimeout(() => {
    throw error;
  });
}

const hits = (logits: Tensor, labels: Tensor): number => noGrad(() => scope(() => logits.argmax(1).eq(labels).cast("f32").sum().item(), "hits"));
