/** Where a recorded figure comes from: machine, engine, date. */
import { availableParallelism, cpus, loadavg } from "node:os";
import { engineName } from "@nn/train";
import { getEngine } from "@nn/tensor";

/** One sentence for the foot of a recorded page. */
export function provenance(): string {
  const { threads } = getEngine();
  const machine = `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}`;
  return `Engine ${engineName()} with ${threads} thread${threads === 1 ? "" : "s"} on ${machine} (load average ${loadavg()[1]!.toFixed(1)}), Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}.`;
}

/** 4000 → `1 h 6 min`, 75 → `1 min 15 s`, 3.21 → `3.2 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A word as a shell takes it. */
export const shellWord = (text: string): string => (/^[\w./=:,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
