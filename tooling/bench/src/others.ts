/** How much of the machine other work took while we measured: on a shared machine the first question about a number. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

const tickMs = 10; // USER_HZ is 100 on every Linux that Node runs on

/** Milliseconds of processor time of a process and its threads so far. */
function usedBy(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * tickMs; // utime + stime
  } catch {
    return NaN; // ended, or no Linux
  }
}

/** All processors, everybody's work. */
const busy = (): number => cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);

/** Starts watching; the function returned gives the share (0 to 1) of the processors that went to processes other than this one and `pids`. */
export function watchOthers(pids: readonly number[]): () => number | undefined {
  const own = () => [process.pid, ...pids].reduce((sum, pid) => sum + usedBy(pid), 0);
  const before = { busy: busy(), own: own(), at: performance.now() };
  return () => {
    const share = (busy() - before.busy - (own() - before.own)) / ((performance.now() - before.at) * availableParallelism());
    return Number.isNaN(share) ? undefined : Math.min(1, Math.max(0, share));
  };
}
