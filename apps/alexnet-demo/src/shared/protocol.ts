/** Everything that the page and the worker say to each other. */
import type { Settings, TrainingSettings } from "./settings.ts";

/** Bytes, row by row: 0 black … 255 white. */
export type Pixels = Uint8Array;

/** A file of a folder, with its path in it. */
export interface PictureFile {
  path: string;
  file: Blob;
}

export type ToWorker =
  /** First of all; answers `opened`, `data`, `built`. `threads`: at most so many; `weights`: a model file to go on from; `files`: as below. */
  | { type: "open"; settings: Settings; threads: number | null; weights: Uint8Array | null; files: PictureFile[] | null }
  /** Other data: a folder of pictures, or the bundled ones (null). Answers `data` and `built`, or `failed` with nothing changed. */
  | { type: "data"; files: PictureFile[] | null }
  /** A new network from scratch; answers `built`. */
  | { type: "build"; settings: Settings }
  /** Answers `tuned`. */
  | { type: "tune"; training: TrainingSettings }
  | { type: "run" }
  | { type: "pause" }
  | { type: "step" }
  /** Follow this picture through the network, now and while it learns; answers `view`. */
  | { type: "look"; picture: Pixels }
  /** Which test pictures excite this unit most? Answers `excited`. */
  | { type: "unit"; stage: number; channel: number }
  /** Answers `health`. */
  | { type: "examine" }
  /** Answers `saved`. */
  | { type: "save" }
  /** The network as an ONNX file; answers `exported`. */
  | { type: "export" }
  /** Answers `built`, or `failed` with nothing changed. */
  | { type: "load"; file: Uint8Array };

export type FromWorker =
  | { type: "opened"; engine: EngineReport }
  | { type: "reading"; done: number; total: number }
  | ({ type: "data" } & DataReport)
  | { type: "built"; settings: Settings; parameters: number; from: "scratch" | "file" }
  | { type: "tuned"; settings: Settings }
  | { type: "running" }
  | { type: "paused" }
  | ({ type: "progress" } & Progress)
  | ({ type: "evaluation" } & TestResult)
  | ({ type: "view" } & View)
  | { type: "excited"; stage: number; channel: number; pictures: number[] }
  | ({ type: "health" } & Health)
  /** `asked`: for the visitor; else a copy to recover from. */
  | { type: "saved"; asked: boolean; file: Uint8Array }
  | { type: "exported"; file: Uint8Array }
  | { type: "failed"; kind: Failure; message: string };

export type Failure = "start" | "data" | "file" | "diverged" | "other";

export interface DataReport {
  bundled: boolean;
  classes: readonly string[];
  /** Number of training pictures. */
  training: number;
  /** The test pictures, one after the other, and their classes. */
  pictures: Pixels;
  labels: Uint8Array;
  /** Files that could not be read as pictures. */
  unreadable: number;
}

export interface EngineReport {
  isa: string;
  threads: number;
  /** Why not faster, in plain sentences. */
  why: readonly string[];
}

export interface Progress {
  /** Passes over the training set so far, with fraction. */
  epoch: number;
  step: number;
  /** Means since the message before. */
  loss: number;
  accuracy: number;
  /** Pictures per second. */
  rate: number;
}

export interface TestResult {
  epoch: number;
  loss: number;
  accuracy: number;
  /** [class, predicted], row by row. */
  confusion: Int32Array;
  /** Predicted class of every test picture. */
  predicted: Uint8Array;
}

/** Channels of one convolution, after its activation, as pictures. */
export interface Stage {
  /** Place in the model, e.g. `features.0`. */
  path: string;
  channels: number;
  side: number;
  /** [channels, side, side], the root of the share of the largest value of the stage. */
  maps: Pixels;
}

export interface View {
  stages: Stage[];
  probabilities: Float32Array;
  /** First-layer weights [count, side, side]. */
  filters: { count: number; side: number; values: Float32Array };
}

export interface LayerHealth {
  path: string;
  kind: string;
  gradNorm: number | null;
  weightNorm: number | null;
  saturated: number | null;
  dead: number | null;
}
export interface LayerTime {
  path: string;
  kind: string;
  /** Milliseconds for a batch. */
  forward: number;
  backward: number;
}
export interface Health {
  verdict: "healthy" | "vanishing" | "exploding";
  layers: LayerHealth[];
  findings: { text: string; cures: readonly string[] }[];
  times: LayerTime[];
  batch: number;
}
