export { conformance, gradientRules } from "./suite.ts";
export { makeInputs, scattered } from "./inputs.ts";
export { updated, type Row } from "./coverage.ts";
