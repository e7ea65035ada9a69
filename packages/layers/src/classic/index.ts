/** Where it began, exact and in the open: single neurons with their own rules, gradient descent, back-propagation by hand. */
export { Perceptron, type PerceptronEpoch, type PerceptronFit, type PerceptronOptions } from "./perceptron.ts";
export { novikoffBound, type NovikoffBound, type Separator } from "./novikoff.ts";
export { LinearUnit, type LinearUnitEpoch, type LinearUnitFit, type LinearUnitOptions } from "./linear-unit.ts";
export { gradientDescent, type Descent, type DescentOptions, type DescentStep } from "./gradient-descent.ts";
export { stabilityBound, type Curvature } from "./curvature.ts";
export { BackPropagation, type NodeRows, type NodeTrace, type PassTrace } from "./back-propagation.ts";
