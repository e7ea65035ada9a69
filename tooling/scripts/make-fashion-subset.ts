/**
 * Makes packages/data/assets/fashion-mnist-subset from the full Fashion-MNIST: the first 1,000 training and 200 test images
 * of each class, in their original order and file format.
 *
 *     node --conditions=@nn/source tooling/scripts/make-fashion-subset.ts [--check] [folder of the full set]
 *
 * With --check it writes nothing and exits 1 if the unpacked contents differ.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { loadFashionMnist } from "@nn/data/node";

const { values, positionals } = parseArgs({ options: { check: { type: "boolean", default: false } }, allowPositionals: true });
const target = new URL("../../packages/data/assets/fashion-mnist-subset/", import.meta.url);

async function main(): Promise<void> {
  const full = await loadFashionMnist(positionals[0] ?? "../shared/data/fashion-mnist");
  mkdirSync(target, { recursive: true });
  for (const [part, prefix, perClass] of [["train", "train", 1000], ["test", "t10k", 200]] as const) {
    const { images, labels } = full[part];
    const taken = new Array<number>(full.classes.length).fill(0);
    const chosen = [...labels.data.keys()].filter((i) => taken[labels.data[i]!]!++ < perClass);
    const pixels = 28 * 28;
    emit(`${prefix}-images-idx3-ubyte.gz`, idx([chosen.length, 28, 28], chosen.flatMap((i) => [...images.data.subarray(i * pixels, (i + 1) * pixels)])));
    emit(`${prefix}-labels-idx1-ubyte.gz`, idx([chosen.length], chosen.map((i) => labels.data[i]!)));
  }
}

/** An IDX file of unsigned bytes. */
function idx(shape: number[], data: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  shape.forEach((n, d) => view.setUint32(4 + 4 * d, n));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

function emit(name: string, bytes: Uint8Array): void {
  const path = new URL(name, target);
  if (values.check) {
    const same = existsSync(path) && Buffer.compare(gunzipSync(readFileSync(path)), bytes) === 0;
    console.log(`${name}: ${same ? "up to date" : "differs"}`);
    if (!same) process.exitCode = 1;
    return;
  }
  const packed = gzipSync(bytes, { level: 9 }); // zlib writes no name and no time
  packed[9] = 255; // nor the system it ran on
  writeFileSync(path, packed);
  console.log(`${name}: ${bytes.length} bytes, ${packed.length} packed`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 3;
});
