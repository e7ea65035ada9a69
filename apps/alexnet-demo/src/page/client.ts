/** The worker as the page sees it: typed messages, and a new worker where one has died. */
import type { FromWorker, PictureFile, ToWorker } from "../shared/protocol.ts";
import type { Settings } from "../shared/settings.ts";

type Heard = FromWorker | { type: "crashed"; message: string; recovered: boolean };
type Kind = Heard["type"];
type Listener<K extends Kind> = (message: Extract<Heard, { type: K }>) => void;

export class Client {
  #worker!: Worker;
  #settings: Settings;
  readonly #threads: number | null;
  readonly #listeners = new Map<Kind, ((message: never) => void)[]>();
  #copy: Uint8Array | null = null;
  /** What it learns from: a folder, or the bundled pictures. */
  #files: PictureFile[] | null;
  #asked: PictureFile[] | null;
  #opened = false;

  /** @param threads at most so many */
  constructor(settings: Settings, { threads = null, files = null }: { threads?: number | null; files?: PictureFile[] | null } = {}) {
    this.#settings = settings;
    this.#threads = threads;
    this.#files = this.#asked = files;
  }

  on<K extends Kind>(type: K, listener: Listener<K>): this {
    const list = this.#listeners.get(type);
    if (list) list.push(listener);
    else this.#listeners.set(type, [listener]);
    return this;
  }

  get files(): PictureFile[] | null {
    return this.#files;
  }

  send(message: ToWorker): void {
    if (message.type === "data") this.#asked = message.files;
    this.#worker.postMessage(message);
  }

  /** Starts the worker; it says `opened`, `data`, `built`. */
  start(): void {
    this.#opened = false;
    this.#worker = new Worker(new URL("../worker/main.ts", import.meta.url), { type: "module", name: "training" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "data") this.#files = this.#asked;
      if (data.type === "saved") this.#copy = data.file;
      if (data.type === "tuned") this.#settings = data.settings;
      if (data.type === "built") {
        this.#opened = true;
        this.#settings = data.settings;
        if (data.from === "scratch") this.#copy = null;
      }
      this.#tell(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#worker.terminate();
      const recovered = this.#opened; // one that never came up would not come up the next time
      this.#tell({ type: "crashed", message: event.message, recovered });
      if (recovered) this.start();
    };
    this.send({ type: "open", settings: this.#settings, threads: this.#threads, weights: this.#copy, files: this.#files });
  }

  stop(): void {
    this.#worker.terminate();
  }

  #tell(message: Heard): void {
    for (const listener of this.#listeners.get(message.type) ?? []) listener(message as never);
  }
}
