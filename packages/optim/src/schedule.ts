/** Learning-rate schedules: pure functions from the update number (0, 1, …) to a factor on the base rate. */

export type Schedule = (step: number) => number;

export const constant: Schedule = () => 1;
/** × gamma every `every` updates. */
export const stepDecay = (every: number, gamma = 0.1): Schedule => (step) => gamma ** Math.floor(step / every);
/** Half a cosine from 1 to `floor` over `total` updates (Loshchilov & Hutter 2016, without restarts). */
export const cosine = (total: number, floor = 0): Schedule => (step) => floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, step / total)));
/** Linear from 0 to 1 over `steps` updates, then `after`. */
export const warmup = (steps: number, after: Schedule = constant): Schedule => (step) => (step < steps ? (step + 1) / steps : after(step - steps));
