/** The slot autograd fills. Nothing here knows how a gradient is computed. */
import type { OpRecord } from "./define.ts";
import { refusePromise } from "./errors.ts";
import { scope } from "./memory.ts";
import type { Tensor } from "./tensor.ts";

/** A tensor's place in a graph of recorded ops. Shared by all handles of the same value; counted like a storage. */
export interface TapeSlot {
  /** Whether a gradient flows to or through this value. */
  readonly requiresGrad: boolean;
  /** True for parameters and inputs, false for results of recorded ops. */
  readonly isLeaf: boolean;
  /** Accumulated gradient of a leaf. */
  grad: Tensor | null;
  retain(): void;
  release(): void;
}

/** What autograd offers. */
export interface Recorder {
  /** Called after each op that has an input with `requiresGrad`. Gives the outputs their slots. */
  record(op: OpRecord, inputs: readonly (Tensor | undefined)[], attrs: object, outputs: readonly Tensor[]): void;
  /** A leaf slot for a parameter or a watched input. */
  leaf(): TapeSlot;
  backward(loss: Tensor, options?: BackwardOptions): void;
  /** Only looks at the graph, as an exporter does: no gradient is expected to pass. */
  readonly onlyLooks?: true;
}

export interface BackwardOptions {
  /** Gradient of the result; 1 for a scalar loss. */
  gradient?: Tensor;
  /** Keep the graph for another backward. */
  retainGraph?: boolean;
  /** Record the gradient computation itself, for higher orders. */
  createGraph?: boolean;
}

let recorder: Recorder | null = null;
let recording = true;

export const setRecorder = (r: Recorder): void => void (recorder = r);
export const getRecorder = (): Recorder | null => recorder;
export const isRecording = (): boolean => recording && recorder !== null;

/** Runs `f` with another recorder in the slot: for tools that want to see the graph of a model. */
export function withRecorder<T>(other: Recorder, f: () => T): T {
  const before = recorder;
  recorder = other;
  try {
    return withRecording(true, f);
  } finally {
    recorder = before;
  }
}

/** Runs `f` with recording on or off, without opening a scope. */
export function withRecording<T>(on: boolean, f: () => T): T {
  const before = recording;
  recording = on;
  try {
    return f();
  } finally {
    recording = before;
  }
}

/** Runs `f` without recording, in a scope of its own: what is not returned or kept goes back to the pool. */
export const noGrad = <T>(f: () => T): T => withRecording(false, () => scope(() => refusePromise("noGrad", f()), "noGrad()"));
