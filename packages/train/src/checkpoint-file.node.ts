/** Keeps one checkpoint file current while training: written as a whole or not at all. */
import { writeFileAtomicSync } from "@nn/io/node";
import { encodeCheckpoint, type CheckpointExtra } from "./checkpoint.ts";
import type { Callback, TrainerView } from "./trainer.ts";

/** Writes `path` every `everySeconds` (default 10) and after each epoch. Put it last, so that it sees what other callbacks did. */
export class CheckpointFile implements Callback {
  readonly path: string;
  readonly #extra: CheckpointExtra;
  readonly #interval: number;
  #last = performance.now();

  constructor(path: string, extra: CheckpointExtra, everySeconds = 10) {
    this.path = path;
    this.#extra = extra;
    this.#interval = everySeconds * 1000;
  }

  onStep(_: unknown, trainer: TrainerView): void {
    if (performance.now() - this.#last >= this.#interval) this.save(trainer);
  }

  onEpoch(_: unknown, trainer: TrainerView): void {
    this.save(trainer);
  }

  save(trainer: TrainerView): void {
    writeFileAtomicSync(this.path, encodeCheckpoint(trainer.state(), this.#extra));
    this.#last = performance.now();
  }
}
