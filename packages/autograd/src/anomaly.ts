/** Anomaly mode: names the op, the module and the line of the forward call of the first value that is not finite. */
import { GradError, currentModulePath, refusePromise, withRecording, type Tensor } from "@nn/tensor";

/** Where an op was called. */
export interface Site {
  readonly modulePath: string;
  readonly line: string;
}

let on = false;

/** Runs `f` with anomaly mode on: forward and backward results are checked for NaN and infinity. Slow; for debugging. @throws ScopeError if `f` is async */
export function detectAnomaly<T>(f: () => T): T {
  const before = on;
  on = true;
  try {
    return refusePromise("detectAnomaly", f());
  } finally {
    on = before;
  }
}

/** The user's line, if anomaly mode is on. */
export function anomalySite(): Site | null {
  if (!on) return null;
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  // The first frame outside the family's own code, whether run from sources or installed.
  const own = /(packages|@nn)\/(tensor|autograd|layers)\/(src|dist)\//;
  const line = lines.find((l) => !own.test(l)) ?? "";
  return { modulePath: currentModulePath(), line: line.trim() };
}

/** @throws GradError naming the first NaN or infinity in `t`. */
export function checkFinite(t: Tensor, what: string, site: Site): void {
  const data = withRecording(false, () => t.dataSync());
  const at = data.findIndex((v) => !Number.isFinite(v));
  if (at < 0) return;
  const where = site.modulePath === "" ? "" : ` in module '${site.modulePath}'`;
  throw new GradError("anomaly", `${what} ${data[at]} at element ${at}${where}, called ${site.line}`);
}
