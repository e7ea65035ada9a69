/** How much of the machine other work took while we measured: on a shared machine the first question about a number. */
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

const tickMs = 10; // USER_HZ is 100 on every Linux that Node runs on

/** Fields of /proc/<pid>/stat from the third on ("state"), or none: ended, or no Linux. */
export function processStat(pid: number | string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(") ") + 2).split(" ");
  } catch {
    return [];
  }
}

/** Milliseconds of processor time of these processes, their threads and their descendants so far. */
function usedBy(pids: readonly number[]): number {
  let names: string[];
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return NaN;
  }
  const all = new Map(names.map((name) => [Number(name), processStat(name)]));
  const ours = (pid: number): boolean => pids.includes(pid) || (pid > 1 && ours(Number(all.get(pid)?.[1] ?? 0))); // ppid
  let ticks = 0;
  for (const [pid, fields] of all) if (fields.length > 0 && ours(pid)) ticks += Number(fields[11]) + Number(fields[12]); // utime + stime
  return ticks * tickMs;
}

/** All processors, everybody's work. */
const busy = (): number => cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);

/** Starts watching; the function returned gives the share (0 to 1) of the processors that went to processes other than this one, `pids` and their children. */
export function watchOthers(pids: readonly number[]): () => number | undefined {
  const own = () => usedBy([process.pid, ...pids]);
  const before = { busy: busy(), own: own(), at: performance.now() };
  return () => {
    const share = (busy() - before.busy - (own() - before.own)) / ((performance.now() - before.at) * availableParallelism());
    return Number.isNaN(share) ? undefined : Math.min(1, Math.max(0, share));
  };
}
