/** `bench(argv)` is what `nn bench` runs, `main(argv)` what `pnpm bench` runs. */
export { bench, main, type Output } from "./main.ts";
export { BenchError } from "./errors.ts";
export { all, cost, suites, type Cost, type Missing, type Spec, type Workload } from "./workloads.ts";
export { prepare, type Prepared } from "./ours.ts";
export { introduce, type Introduction } from "./self.ts";
