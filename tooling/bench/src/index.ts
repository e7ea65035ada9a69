/** `main(argv)` is what `pnpm bench` and `nn bench` run. */
export { main, type Output } from "./main.ts";
export { all, cost, suites, type Missing, type Spec, type Workload } from "./workloads.ts";
