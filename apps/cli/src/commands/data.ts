/** `nn data get <name>`: fetches a data set, checked and resumable. */
import { join } from "node:path";
import { nearest } from "@nn/layers";
import { fetchDataset, remoteDatasets, type DatasetName } from "@nn/data/node";
import { usage } from "../errors.ts";
import { bytes } from "../text.ts";

export async function getData(name: string, { dir, baseUrl }: { dir?: string; baseUrl?: string }): Promise<void> {
  if (!Object.hasOwn(remoteDatasets, name)) {
    const near = nearest(name, Object.keys(remoteDatasets));
    throw usage(`unknown data set '${name}'`, near ? `did you mean '${near}'?` : `known: ${Object.keys(remoteDatasets).join(", ")}`);
  }
  if (baseUrl !== undefined && !URL.canParse(baseUrl)) throw usage(`--base-url: '${baseUrl}' is not a URL`, "such as https://example.org/fashion/");
  const target = dir ?? join("data", name);
  const live = process.stderr.isTTY === true;
  let last = "";
  await fetchDataset(name as DatasetName, {
    dir: target,
    ...(baseUrl !== undefined && { baseUrl }),
    onProgress({ file, received, bytes: total }) {
      const line = `${file}: ${bytes(received)}${total ? ` of ${bytes(total)}` : ""}`;
      if (live) process.stderr.write(`\r\u001b[2K${line}`);
      else if (file !== last) process.stderr.write(`${file}\n`);
      last = file;
    },
  });
  if (live) process.stderr.write("\n");
  process.stdout.write(`${target}\n`);
}
