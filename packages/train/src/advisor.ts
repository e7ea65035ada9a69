/**
 * Which optimizer to start with, and why (after Ruder 2016, "An overview of gradient descent optimization algorithms").
 * `nn experiment optimizer-race` is the benchmark behind it: all optimizers, each at its best rate, beside what is advised here.
 */
import { Conv1d, Conv2d, Embedding, GRU, LSTM, MultiheadAttention, RNN, type Module } from "@nn/layers";

/** What decides. */
export interface Situation {
  /** Many inputs or embedding rows get no gradient in most steps (words, categories). */
  sparse?: boolean;
  /** Parameters in such tables; from a few million on, dense moments cost more than the gradient. */
  sparseParameters?: number;
  /** Recurrent layers: gradients may explode along time. */
  recurrent?: boolean;
  convolutional?: boolean;
  attention?: boolean;
  /** Linear or logistic regression and the like: one minimum. */
  convex?: boolean;
  /** All samples fit into one batch that is still fast. */
  tiny?: boolean;
  /** Is there time to try rates and schedules? Default: some. */
  tuning?: "none" | "some" | "schedule";
}

export interface Advice {
  readonly optimizer: "Adam" | "AdamW" | "Adagrad" | "SGD" | "LBFGS" | "Adadelta";
  /** Options to start from, as the optimizer's constructor takes them. */
  readonly options: Readonly<Record<string, number | boolean>>;
  /** Things to add around it. */
  readonly also: readonly string[];
  /** Why, one sentence each, the deciding one first. */
  readonly because: readonly string[];
  /** What else is worth a try, and when. */
  readonly otherwise: string;
}

const largeTable = 1_000_000;

/** An optimizer to start with for `situation`; rules are tried in the order below and the first that fits decides. */
export function adviseOptimizer(situation: Situation): Advice {
  const advice = rules.find(({ when }) => when(situation))!.advice(situation);
  const also = situation.recurrent ? ["clip the global gradient norm (1 to 5)", ...advice.also] : advice.also;
  const because = situation.recurrent ? [...advice.because, "Recurrent nets: one exploding gradient can undo an epoch; clipping bounds the step (Pascanu 2013)."] : advice.because;
  return { ...advice, also, because };
}

interface Rule {
  readonly when: (s: Situation) => boolean;
  readonly advice: (s: Situation) => Advice;
}

const rules: readonly Rule[] = [
  {
    when: (s) => s.convex === true && s.tiny === true,
    advice: () => ({
      optimizer: "LBFGS",
      options: {},
      also: [],
      because: ["A small convex problem: full batches and curvature reach the minimum in tens of steps, and there is no noise to average out."],
      otherwise: "Full-batch SGD with a rate below 2/λmax also gets there, slowly.",
    }),
  },
  {
    when: (s) => s.sparse === true && s.convex === true,
    advice: () => ({
      optimizer: "Adagrad",
      options: { lr: 0.1 },
      also: [],
      because: ["Sparse inputs: each weight needs a rate of its own, large for rare features (Duchi 2011); in a convex problem the shrinking rate does no harm."],
      otherwise: "Adam is as good when the run is short.",
    }),
  },
  {
    when: (s) => s.sparse === true && !s.recurrent && !s.attention,
    advice: (s) => ({
      optimizer: "Adam",
      options: { lr: 1e-3 },
      also: (s.sparseParameters ?? 0) > largeTable ? ["`sparse: true` for the embedding: steps then touch only the rows of the batch, and moments of the others do not decay"] : [],
      because: [
        "Embeddings: rare rows get few gradients, and an adaptive rate makes the most of each.",
        ...((s.sparseParameters ?? 0) > largeTable ? [`A table of ${s.sparseParameters!.toLocaleString("en")} numbers: updating all rows in every step costs more than the gradient.`] : []),
      ],
      otherwise: "Adagrad, if the features stay the same for the whole training; its rate only ever falls.",
    }),
  },
  {
    when: (s) => s.attention === true,
    advice: () => ({
      optimizer: "AdamW",
      options: { lr: 5e-4, weightDecay: 0.01 },
      also: ["a linear warm-up of the rate over the first few per cent of the steps"],
      because: ["Attention: gradients of very different sizes in different places, where SGD is slow; the first steps of Adam are noisy, hence the warm-up (Vaswani 2017)."],
      otherwise: "Adam with the Noam schedule, as the paper has it.",
    }),
  },
  {
    when: (s) => s.recurrent === true,
    advice: () => ({
      optimizer: "Adam",
      options: { lr: 1e-3 },
      also: [],
      because: ["Recurrent nets: gradients of very different sizes from step to step; per-weight rates even them out."],
      otherwise: "RMSprop does nearly the same without momentum.",
    }),
  },
  {
    when: (s) => s.convolutional === true && s.tuning === "schedule",
    advice: () => ({
      optimizer: "SGD",
      options: { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 },
      also: ["a schedule: divide the rate by ten when validation stops improving, or a cosine"],
      because: ["Convolutional nets with time for a schedule: SGD with momentum often ends with the better test error (Krizhevsky 2012 and most results after it)."],
      otherwise: "AdamW with a cosine schedule needs less tuning and ends close by.",
    }),
  },
  {
    when: (s) => s.tuning === "none" && !s.convolutional,
    advice: () => ({
      optimizer: "Adadelta",
      options: {},
      also: [],
      because: ["No tuning possible: Adadelta has no rate to choose (Zeiler 2012)."],
      otherwise: "Adam at 1e-3 is the usual default and mostly faster; try it if one try is possible.",
    }),
  },
  {
    when: () => true,
    advice: () => ({
      optimizer: "Adam",
      options: { lr: 1e-3 },
      also: [],
      because: ["Nothing speaks against the default: Adam works at its default rate on most problems (Kingma & Ba 2014). That is a rule of thumb, not a theorem: `nn experiment optimizer-race` shows where it holds."],
      otherwise: "SGD with momentum 0.9 and a schedule, once the rest of the experiment is settled.",
    }),
  },
];

/** The parts of a situation that a model shows by its layers. */
export function situationOf(model: Module): Situation {
  const layers = [...model.namedModules()].map(([, m]) => m);
  const tables = layers.filter((m) => m instanceof Embedding);
  return {
    sparse: tables.length > 0,
    sparseParameters: tables.reduce((n, m) => n + m.parameterCount(), 0),
    recurrent: layers.some((m) => m instanceof RNN || m instanceof LSTM || m instanceof GRU),
    attention: layers.some((m) => m instanceof MultiheadAttention),
    convolutional: layers.some((m) => m instanceof Conv1d || m instanceof Conv2d),
  };
}
