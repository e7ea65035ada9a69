/** Reverse-mode gradients for @nn/tensor. Importing this package switches recording on. */
import { setRecorder } from "@nn/tensor";
import { backward } from "./backward.ts";
import { Slot, record } from "./tape.ts";

setRecorder({ record, leaf: () => new Slot(null), backward });

export { noGrad, scope, keep } from "@nn/tensor";
export { backward, gradients } from "./backward.ts";
export { grad, hessianVector, valueAndGrad } from "./grad.ts";
export { checkpoint } from "./checkpoint.ts";
export { detectAnomaly } from "./anomaly.ts";
export { gradcheck, gradgradcheck, type GradcheckOptions } from "./gradcheck.ts";
