/** Progress of a run as text. */
import type { Callback, EpochInfo, StepInfo } from "./trainer.ts";

const cells = " ▏▎▍▌▋▊▉█";

/** `█████▍     ` — `share` in 0 … 1 of `width` cells. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const full = Math.floor(eighths / 8);
  return "█".repeat(full) + (full < width ? cells[eighths % 8]! + " ".repeat(width - full - 1) : "");
}

/** `1:05` or `2:03:04`. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const pad = (n: number) => String(n).padStart(2, "0");
  const minutes = `${s >= 3600 ? pad(Math.floor(s / 60) % 60) : Math.floor(s / 60)}:${pad(s % 60)}`;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${minutes}` : minutes;
}

export interface ProgressOptions {
  write: (text: string) => void;
  /** Redraw one line (a terminal), or print a line per epoch. */
  live: boolean;
  /** Milliseconds now; for tests. */
  now?: () => number;
}

/** A live bar with rate and time to go; one plain line per epoch where the output is not a terminal. */
export class Progress implements Callback {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  #start: number | null = null;
  #firstBatch = 0;
  #samples = 0;
  #drawn = -Infinity;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  onStep(info: StepInfo): void {
    const now = this.#now();
    if (this.#start === null) {
      this.#start = now;
      this.#firstBatch = (info.epoch - 1) * info.batches + info.batch;
    }
    this.#samples += info.samples;
    if (!this.#options.live || (now - this.#drawn < 100 && info.batch < info.batches)) return;
    this.#drawn = now;
    this.#options.write(`\r\u001b[2K${this.#line(info, (now - this.#start) / 1000)}`);
  }

  #line({ epoch, epochs, batch, batches, meanLoss }: StepInfo, seconds: number): string {
    const done = (epoch - 1) * batches + batch;
    const rate = seconds > 0 ? this.#samples / seconds : 0;
    const left = done > this.#firstBatch ? (seconds / (done - this.#firstBatch)) * (epochs * batches - done) : NaN;
    const eta = Number.isNaN(left) ? "" : ` · ${clock(left)} to go`;
    return `epoch ${epoch}/${epochs} ${bar(batch / batches, 24)} loss ${meanLoss.toFixed(4)} · ${rate.toFixed(0)} images/s${eta}`;
  }

  onEpoch(info: EpochInfo): void {
    const seconds = this.#start === null ? 0 : (this.#now() - this.#start) / 1000;
    const { epoch, loss, lr: _lr, ...rest } = info;
    const extra = Object.entries(rest).map(([name, value]) => ` · ${name} ${/accuracy/i.test(name) ? `${(100 * value).toFixed(1)} %` : value.toFixed(4)}`);
    this.#options.write(`${this.#options.live ? "\r\u001b[2K" : ""}epoch ${epoch}: loss ${loss.toFixed(4)}${extra.join("")} · ${clock(seconds)}\n`);
  }
}
