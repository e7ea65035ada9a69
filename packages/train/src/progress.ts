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
  /** Width of the terminal; the bar gives way to it. Default 80. */
  columns?: () => number;
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
  #accuracies = "";

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
    const head = `epoch ${epoch}/${epochs} `;
    const figures = ` loss ${meanLoss.toFixed(4)}${this.#accuracies} · ${rate.toFixed(0)} images/s${eta}`;
    // One column stays free: a terminal that is full wraps, and a wrapped line is not redrawn.
    const room = (this.#options.columns?.() ?? 80) - 1 - head.length - figures.length;
    return `${head}${bar(batch / batches, Math.min(24, Math.max(0, room)))}${figures}`;
  }

  onEpoch(info: EpochInfo): void {
    const seconds = this.#start === null ? 0 : (this.#now() - this.#start) / 1000;
    const { epoch, loss, lr: _lr, ...rest } = info;
    const accuracy = (name: string): boolean => /accuracy/i.test(name);
    const show = ([name, value]: [string, number]): string => ` · ${name} ${accuracy(name) ? `${(100 * value).toFixed(1)} %` : value.toFixed(4)}`;
    const extra = Object.entries(rest).map(show);
    this.#accuracies = Object.entries(rest).filter(([name]) => accuracy(name)).map(([name, value]) => ` · ${name.replace(/ ?accuracy/i, "") || "accuracy"} ${(100 * value).toFixed(1)} %`).join("");
    this.#options.write(`${this.#options.live ? "\r\u001b[2K" : ""}epoch ${epoch}: loss ${loss.toFixed(4)}${extra.join("")} · ${clock(seconds)}\n`);
  }
}
