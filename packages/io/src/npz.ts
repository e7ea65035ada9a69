/** numpy's `.npz`: a ZIP archive with one `.npy` per array. */
import { ArgumentError, FormatError, fromTyped, type Tensor } from "@nn/tensor";
import { tensorDTypeOf } from "./dtypes.ts";
import { encodeNpy, readNpy } from "./npy.ts";
import type { Bytes, ReadOptions } from "./source.ts";
import { pairs, type NamedTensors } from "./tensors.ts";
import { show } from "./text.ts";
import { openZip, writeZip } from "./zip.ts";

/**
 * All arrays of an `.npz` file, stored or compressed, all or none.
 *
 * @throws FormatError
 */
export async function decodeNpz(bytes: Bytes, options: ReadOptions = {}): Promise<Map<string, Tensor>> {
  const zip = await openZip(bytes, "npz", options);
  const arrays = new Map<string, ReturnType<typeof readNpy>>();
  for (const name of zip.names) {
    const key = name.replace(/\.npy$/, "");
    if (arrays.has(key)) throw new FormatError("npz", zip.offsetOf(name), `array ${show(key)} appears twice`);
    const data = await zip.read(name);
    try {
      arrays.set(key, readNpy(data));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError("npz", zip.offsetOf(name), `array ${show(key)}: ${error.reason}`, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
    }
  }
  return new Map([...arrays].map(([name, { dtype, shape, data }]) => [name, fromTyped(data, shape, tensorDTypeOf[dtype], "load")]));
}

/** Bytes that `numpy.load` reads, uncompressed. The same tensors give the same bytes. */
export function encodeNpz(tensors: NamedTensors): Uint8Array {
  const entries = pairs(tensors).map(([name, t]) => [`${name}.npy`, encodeNpy(t)] as const);
  const names = new Set<string>();
  for (const [name] of entries) {
    if (names.has(name)) throw new ArgumentError("encodeNpz", `${show(name)} appears twice`);
    names.add(name);
  }
  return writeZip(entries);
}
