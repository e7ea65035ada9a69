/** Training loops, metrics and checkpoints. Files, terminals and reports are in `@nn/train/node`. */
export { Trainer, DivergedError, type Callback, type EpochInfo, type StepInfo, type TrainerOptions, type TrainerState, type TrainerView } from "./trainer.ts";
export { evaluate, type EvaluateOptions, type Evaluation } from "./evaluate.ts";
export { ConfusionMatrix, Mean, TopKError } from "./metrics.ts";
export { decodeCheckpoint, encodeCheckpoint, engineName, type CheckpointExtra, type LoadedCheckpoint } from "./checkpoint.ts";
export { defineRecipe, evaluateRecipe, logitsOf, startRun, type Published, type Recipe, type RecipeData, type Run, type RunOptions } from "./recipe.ts";
export { Progress, bar, clock, type ProgressOptions } from "./progress.ts";
export { decodeModel, encodeModel, type ModelFile } from "./model-file.ts";
export { renderReport, type ReportInput } from "./report.ts";
export { diagnose, Diagnosis } from "./diagnosis/diagnose.ts";
export { GradientWatch, type Look, type WatchOptions } from "./diagnosis/watch.ts";
export { defaultThresholds, type Finding, type LayerReport, type Thresholds, type Verdict } from "./diagnosis/judge.ts";
export { adviseOptimizer, situationOf, type Advice, type Situation } from "./advisor.ts";
export { Summary, summary, type SummaryRow } from "./summary.ts";
export { lineChart, type LineChart } from "./line-chart.ts";
export { defineExperiment, runExperiment, type Bench, type Block, type Experiment, type ExperimentResult, type ExperimentSettings, type Outcome, type RunExperimentOptions, type Timed, type TrialStore } from "./experiment/experiment.ts";
export { confidence, markdownTable, mean, meanAndInterval, renderPage, type PageInput } from "./experiment/page.ts";
