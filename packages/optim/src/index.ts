/** Optimizers as pure rules over one fused pass, schedules, clipping. */
export { Optimizer, type Group, type OptimizerState } from "./optimizer.ts";
export { defineRule, type Rule } from "./rule.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export { Adam, AdamW, type AdamOptions } from "./adam.ts";
export { clipGradNorm } from "./clip.ts";
export * as schedule from "./schedule.ts";
