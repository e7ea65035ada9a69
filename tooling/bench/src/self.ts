/** Our own library as one participant among others, in another process or in a page (peers/nn.mjs, page.ts). */
import { engineInfo, ready, type EngineOptions } from "@nn/kernels";
import { setEngine } from "@nn/tensor";
import { measureLimits, type Limits } from "./limits.ts";

/** What it says of itself, and what its engine makes of the machine. */
export interface Introduction {
  readonly version: string;
  readonly threads: number;
  readonly engine: { readonly kind: string; readonly isa: string };
  readonly limits?: Limits;
}

/** Starts the engine; `host` says on what it runs, e.g. "Node v22.23.3". Measuring the limits takes a moment and 200 MB: only if asked for. */
export async function introduce(kind: NonNullable<EngineOptions["kind"]>, threads: number, host: string, limits: boolean): Promise<Introduction> {
  await ready();
  const engine = setEngine({ kind, threads });
  const { kind: got, isa, threads: used } = engineInfo(engine);
  return { version: `${isa} in ${host}`, threads: used, engine: { kind: got, isa }, ...(limits && { limits: measureLimits(engine) }) };
}
