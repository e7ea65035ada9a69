/** A recipe is all it takes to train a classifier of images: data, model, optimizer, schedule, defaults. */
import { DataLoader, type Dataset, type LabelledImages, type NdArray, type Transform } from "@nn/data";
import type { Module } from "@nn/layers";
import { crossEntropy } from "@nn/layers";
import type { Optimizer } from "@nn/optim";
import { manualSeed, type Tensor } from "@nn/tensor";
import { evaluate, type Evaluation } from "./evaluate.ts";
import { Trainer, type Callback, type TrainerState } from "./trainer.ts";

/** Numbers that a run is started with; the same ones give the same model, bit for bit. */
export interface RunOptions {
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
}

/** Samples are `[image f32 [C,H,W], class i32 []]`. */
export interface RecipeData {
  /** Augmented and prepared. */
  readonly train: Dataset<[NdArray, NdArray]>;
  /** Prepared only. */
  readonly test: Dataset<[NdArray, NdArray]>;
  /** The test images as they are, for reports. */
  readonly pictures: LabelledImages;
}

/** What others reached on the same data, to stand beside a result. */
export interface Published {
  readonly what: string;
  /** Share of right predictions on the test set, 0 … 1. */
  readonly accuracy: number;
  readonly source: string;
}

export interface Recipe {
  readonly name: string;
  readonly description: string;
  readonly defaults: RunOptions;
  readonly classes: readonly string[];
  /** What the model reads. `square`: pictures of any size are scaled until their shorter side has so many pixels, then the middle is cut out. */
  readonly image: { readonly channels: number; readonly height: number; readonly width: number; readonly square?: number };
  /** From a folder, or with null from data that comes with the recipe. */
  data(dir: string | null): Promise<RecipeData>;
  /** One image of bytes [C,H,W] as the model wants it. */
  readonly prepare: Transform;
  model(): Module;
  optimizer(model: Module, lr: number): Optimizer<{ lr: number }>;
  /** Factor on the rate for update 0, 1, … of `updates`. */
  schedule?(updates: number): (step: number) => number;
  readonly clipNorm?: number;
  /** Of logits [N, K] and classes [N]; default cross-entropy. */
  loss?(logits: Tensor, labels: Tensor): Tensor;
  readonly published?: readonly Published[];
}

/** Types a recipe. */
export const defineRecipe = (recipe: Recipe): Recipe => recipe;

type Fields = [NdArray, NdArray];

export interface Run {
  readonly trainer: Trainer<Fields>;
  readonly model: Module;
  /** On the test set, without augmentation. */
  evaluate(): Promise<Evaluation>;
}

/** Logits of a batch; a model of images is called with one tensor. */
export const logitsOf = (model: Module, x: Tensor): Tensor => (model.call as unknown as (x: Tensor) => Tensor)(x);

/** Everything a run needs, seeded; `await run.trainer.fit()` does the work. With `resume` it goes on where that state was taken. */
export function startRun(recipe: Recipe, data: RecipeData, options: RunOptions, { callbacks = [], resume }: { callbacks?: Callback[]; resume?: TrainerState } = {}): Run {
  manualSeed(options.seed);
  const model = recipe.model();
  const loader = new DataLoader<Fields>(data.train, { batchSize: options.batch, shuffle: true, seed: options.seed, name: "training set" });
  const schedule = recipe.schedule?.(options.epochs * loader.length);
  const loss = recipe.loss ?? crossEntropy;
  const trainer = new Trainer<Fields>({
    model,
    optimizer: recipe.optimizer(model, options.lr),
    loader,
    epochs: options.epochs,
    loss: ([x, y]) => loss(logitsOf(model, x), y),
    ...(schedule && { schedule }),
    ...(recipe.clipNorm !== undefined && { clipNorm: recipe.clipNorm }),
    callbacks,
  });
  if (resume) trainer.load(resume);
  return { trainer, model, evaluate: () => evaluateRecipe(recipe, data, model) };
}

/** Loss, accuracy and confusion on the recipe's test set. Leaves the random state as it was. */
export function evaluateRecipe(recipe: Recipe, { test }: RecipeData, model: Module): Promise<Evaluation> {
  const loss = recipe.loss ?? crossEntropy;
  const loader = new DataLoader<Fields>(test, { batchSize: 250, seed: 0, name: "test set" });
  return evaluate(model, loader, {
    classes: recipe.classes.length,
    predict: ([x, y]) => {
      const logits = logitsOf(model, x);
      return { logits, labels: y, loss: loss(logits, y) };
    },
  });
}
