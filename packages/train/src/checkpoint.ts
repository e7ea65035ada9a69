/** A checkpoint is one safetensors file: parameters, buffers and optimizer state as tensors, everything else as JSON in its metadata. */
import { decodeTensors, encodeTensors } from "@nn/io";
import { FormatError, getEngine } from "@nn/tensor";
import type { EpochInfo, TrainerState } from "./trainer.ts";

const version = "1";

/** What is in a checkpoint beside the trainer's state. */
export interface CheckpointExtra {
  /** The command or recipe that made it, so that `--resume` can refuse another one. */
  readonly recipe: string;
  /** Options the run was started with. */
  readonly options: Readonly<Record<string, unknown>>;
}
export interface LoadedCheckpoint extends CheckpointExtra {
  readonly state: TrainerState;
  /** Engine and instruction set that computed it, e.g. `native/avx512`: another one goes on with other last bits. */
  readonly engine: string;
}

export const engineName = (): string => `${getEngine().kind}/${getEngine().isa}`;

/** Bytes of a checkpoint. */
export function encodeCheckpoint({ tensors, ...rest }: TrainerState, extra: CheckpointExtra): Uint8Array {
  return encodeTensors(tensors, { metadata: { format: "nn.checkpoint", version, engine: engineName(), extra: JSON.stringify(extra), state: JSON.stringify(rest) } });
}

/** @throws FormatError if the bytes are not a checkpoint of this version. */
export function decodeCheckpoint(bytes: Uint8Array): LoadedCheckpoint {
  const { tensors, metadata } = decodeTensors(bytes);
  if (metadata.get("format") !== "nn.checkpoint") throw new FormatError("checkpoint", 8, "this safetensors file is not a checkpoint", { hint: "model.safetensors holds the model alone; resume from the file named `checkpoint`" });
  if (metadata.get("version") !== version) throw new FormatError("checkpoint", 8, `version ${metadata.get("version")}, this program reads ${version}`);
  const json = (key: string): unknown => {
    try {
      return JSON.parse(metadata.get(key) ?? "");
    } catch (cause) {
      throw new FormatError("checkpoint", 8, `its ${key} is not JSON`, { cause });
    }
  };
  const state = checked(json("state"));
  const extra = json("extra") as CheckpointExtra;
  if (typeof extra?.recipe !== "string" || typeof extra.options !== "object" || extra.options === null) throw new FormatError("checkpoint", 8, "it does not name its recipe and options");
  return { recipe: extra.recipe, options: extra.options, engine: metadata.get("engine") ?? "", state: { ...state, tensors } };
}

/** The parts every reader relies on; the parts themselves are checked by who loads them. */
function checked(value: unknown): Omit<TrainerState, "tensors"> {
  const state = value as Omit<TrainerState, "tensors"> | null;
  const count = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const record = (part: unknown): boolean => typeof part === "object" && part !== null;
  const list = (parts: unknown, is: (part: unknown) => boolean): boolean => Array.isArray(parts) && parts.every(is);
  const whole =
    count(state?.optimizer?.step) &&
    list(state?.optimizer?.updates, count) &&
    list(state?.optimizer.options, record) &&
    count(state?.loader?.batch) &&
    count(state?.loader.epoch) &&
    count(state?.loader.seed) &&
    count(state?.random?.seed) &&
    count(state?.random.stream) &&
    state!.random.stream < 2 ** 32 &&
    list(state?.history, (line) => record(line) && count((line as EpochInfo).epoch)) &&
    list(state?.baseRates, Number.isFinite) &&
    Number.isFinite(state?.mean?.sum) &&
    count(state?.mean.count);
  if (!whole) throw new FormatError("checkpoint", 8, "its state is incomplete");
  return state!;
}
