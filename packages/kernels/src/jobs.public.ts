import { jobIds, jobWriters, type JobArgs } from "./job-abi.gen.ts";
import type { JobName } from "./job-abi.ts";
import type { Engine } from "./engine.ts";

export { fastTextPart, fastTextScratch, fastTextStatus, type JobName } from "./job-abi.ts";
export type { JobArgs } from "./job-abi.gen.ts";

/** Runs a job until it has used up what its buffers hold. `engine` must be one of `createJobEngine`. */
export function runJob<J extends JobName>(engine: Engine, job: J, args: JobArgs[J]): void {
  engine.call(jobIds[job], (slots) => (jobWriters[job] as (d: Float64Array, a: JobArgs[J]) => void)(slots, args));
}
