/** What a visitor can choose. Plain data: the page shows it, the worker builds from it, `code.ts` writes it out. */

export const activations = ["relu", "tanh", "sigmoid", "leakyRelu", "elu", "gelu"] as const;
export const optimizers = ["adamw", "sgd", "nesterov", "rmsprop", "adagrad", "lion"] as const;
export const widths = [8, 16, 32] as const;
export const kernels = [3, 5, 7] as const;
export const batches = [16, 32, 64, 128] as const;

export type OptimizerName = (typeof optimizers)[number];

/** Another network: changing it means to begin again. */
export interface NetworkSettings {
  width: (typeof widths)[number];
  kernel: (typeof kernels)[number];
  activation: (typeof activations)[number];
  lrn: boolean;
  overlapping: boolean;
  dropout: boolean;
}

/** How it learns: can be changed while it does. */
export interface TrainingSettings {
  optimizer: OptimizerName;
  lr: number;
  batch: (typeof batches)[number];
  /** Mirror and shift the pictures at random. */
  augment: boolean;
}

export interface Settings {
  network: NetworkSettings;
  training: TrainingSettings;
}

/** A rate to begin with. */
export const usualRate: Record<OptimizerName, number> = { adamw: 1e-3, sgd: 0.03, nesterov: 0.03, rmsprop: 1e-3, adagrad: 0.01, lion: 3e-4 };

export const defaults: Settings = {
  network: { width: 16, kernel: 5, activation: "relu", lrn: false, overlapping: true, dropout: true },
  training: { optimizer: "adamw", lr: usualRate.adamw, batch: 32, augment: false },
};

/** Pictures are square and grey. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
