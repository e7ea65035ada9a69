/** Model files: safetensors with enough metadata to build the model again. No time, host, thread count or path: the same run writes the same bytes. */
import { decodeTensors, encodeTensors } from "@nn/io";
import type { Module } from "@nn/layers";
import { FormatError, type Tensor } from "@nn/tensor";
import type { Recipe, RunOptions } from "./recipe.ts";

const version = "1";

export interface ModelFile {
  readonly recipe: string;
  readonly classes: readonly string[];
  readonly options: RunOptions;
  readonly tensors: Map<string, Tensor>;
}

/** Bytes of a model file. */
export function encodeModel(model: Module, recipe: Recipe, options: RunOptions): Uint8Array {
  return encodeTensors(model.stateDict(), { metadata: { format: "nn.model", version, recipe: recipe.name, classes: JSON.stringify(recipe.classes), options: JSON.stringify(options) } });
}

/** @throws FormatError if the bytes are not a model file of this version. */
export function decodeModel(bytes: Uint8Array): ModelFile {
  const { tensors, metadata } = decodeTensors(bytes);
  const fail = (reason: string, hint?: string): never => {
    throw new FormatError("model", 8, reason, hint === undefined ? {} : { hint });
  };
  if (metadata.get("format") !== "nn.model") {
    fail("this safetensors file does not say which model it belongs to", metadata.get("format") === "nn.checkpoint" ? "it is a checkpoint; the model is in model.safetensors beside it" : "nn predict --network says what it is of; in code: loadSafetensors and loadStateDict");
  }
  if (metadata.get("version") !== version) fail(`version ${metadata.get("version")}, this program reads ${version}`);
  const json = (key: string): unknown => {
    try {
      return JSON.parse(metadata.get(key) ?? "");
    } catch {
      return fail(`its ${key} is not JSON`);
    }
  };
  const classes = json("classes");
  if (!Array.isArray(classes) || !classes.every((c) => typeof c === "string")) fail("its classes are not a list of names");
  const options = json("options") as RunOptions | null;
  if (!(["epochs", "batch", "lr", "seed"] as const).every((key) => Number.isFinite(options?.[key]))) fail("its options are incomplete");
  return { recipe: metadata.get("recipe") ?? "", classes: classes as string[], options: options!, tensors };
}
