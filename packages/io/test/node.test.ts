import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { FormatError, tensor } from "@nn/tensor";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeTensors, encodeTensors, readSafetensors } from "../src/index.ts";
import { inspectSafetensors, loadSafetensors, readBytes, saveSafetensors, writeFileAtomic, writeFileAtomicSync } from "../src/node.ts";

let dir = "";
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "nn-io-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe.each([["writeFileAtomic", writeFileAtomic], ["writeFileAtomicSync", async (path: string, bytes: Uint8Array) => writeFileAtomicSync(path, bytes)]])("%s", (_, write) => {
  test("writes, replaces, leaves nothing else behind", async () => {
    const path = join(dir, "a.bin");
    await write(path, Uint8Array.of(1, 2));
    await write(path, Uint8Array.of(3));
    expect([...readFileSync(path)]).toEqual([3]);
    expect(readdirSync(dir)).toEqual(["a.bin"]);
  });

  test("on failure the old file stays and the temporary one goes", async () => {
    const path = join(dir, "target");
    await write(join(path, "..", "target"), Uint8Array.of(1));
    await expect(write(join(path, "below-a-file"), Uint8Array.of(2))).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(write(join(dir, "no-such-folder", "x"), Uint8Array.of(2))).rejects.toMatchObject({ code: "ENOENT" });
    // A folder is in the way: everything up to the rename works, the rename fails.
    const folder = join(dir, "folder", "inside");
    await import("node:fs/promises").then((fs) => fs.mkdir(folder, { recursive: true }));
    await expect(write(join(dir, "folder"), Uint8Array.of(2))).rejects.toThrow();
    expect(readdirSync(dir).sort()).toEqual(["folder", "target"]);
    expect([...readFileSync(path)]).toEqual([1]);
  });

  test.skipIf(process.getuid?.() === 0 || process.platform === "win32")("an unwritable folder (skipped as root, who may write everywhere)", async () => {
    chmodSync(dir, 0o555);
    await expect(write(join(dir, "x"), Uint8Array.of(1))).rejects.toMatchObject({ code: "EACCES" });
    chmodSync(dir, 0o755);
  });

  test("many writers at once: the result is one of theirs", async () => {
    const path = join(dir, "shared");
    await Promise.all(Array.from({ length: 20 }, (_, i) => write(path, new Uint8Array(10_000).fill(i))));
    const bytes = readFileSync(path);
    expect(bytes).toHaveLength(10_000);
    expect(new Set(bytes).size).toBe(1);
    expect(readdirSync(dir)).toEqual(["shared"]);
  });
});

test("kill -9 at any moment leaves the old file or the new one", async () => {
  const path = join(dir, "checkpoint");
  const source = new URL("../src/atomic.node.ts", import.meta.url).href;
  const program = `import { writeFileAtomic } from ${JSON.stringify(source)};
    for (let i = 0; ; i++) { await writeFileAtomic(${JSON.stringify(path)}, new Uint8Array(400_000).fill(i % 251)); if (i === 0) process.stdout.write("ready"); }`;
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, 7 * round));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const bytes = readFileSync(path);
    expect(bytes).toHaveLength(400_000);
    expect(new Set(bytes).size).toBe(1);
  }
});

describe("tensors", () => {
  test("save, load: values, shapes, dtypes, metadata; the same values give the same bytes", async () => {
    const path = join(dir, "model.safetensors");
    const tensors = { weight: tensor([[1.5, -2], [3, 4]]), steps: tensor([7], { dtype: "i32" }), mask: tensor([1, 0], { dtype: "bool" }), exact: tensor([0.1], { dtype: "f64" }) };
    await saveSafetensors(path, tensors, { metadata: { recipe: "test" } });
    const loaded = await loadSafetensors(path);
    expect([...loaded.tensors.keys()].sort()).toEqual(["exact", "mask", "steps", "weight"]);
    for (const [name, t] of Object.entries(tensors)) {
      const back = loaded.tensors.get(name)!;
      expect([back.dtype, back.shape, back.toArray()]).toEqual([t.dtype, t.shape, t.toArray()]);
    }
    expect(loaded.metadata.get("recipe")).toBe("test");
    expect(encodeTensors(new Map(Object.entries(tensors).reverse()), { metadata: [["recipe", "test"]] })).toEqual(await readBytes(path));
  });

  test("floats may be stored in 16 bits; they load as f32", () => {
    const bytes = encodeTensors({ x: tensor([1 / 3, 1]) }, { store: { f32: "F16" } });
    expect(readSafetensors(bytes).tensors.get("x")!.dtype).toBe("F16");
    const x = decodeTensors(bytes).tensors.get("x")!;
    expect(x.dtype).toBe("f32");
    expect(x.toArray()).toEqual([0.333251953125, 1]);
  });

  test("an I64 beyond i32 refuses the whole file", () => {
    const bytes = encodeTensors({ n: tensor([1], { dtype: "i32" }) }, { store: { i32: "I64" } });
    expect(decodeTensors(bytes).tensors.get("n")!.toArray()).toEqual([1]);
    bytes[bytes.length - 3] = 1;
    expect(() => decodeTensors(bytes)).toThrow(/^safetensors: tensor "n": element 0 is 1099511627777, outside the range of i32 \(at byte \d+\)$/);
  });

  test("a bad file is named", async () => {
    const path = join(dir, "bad.safetensors");
    writeFileSync(path, "not a model at all");
    await expect(loadSafetensors(path)).rejects.toThrow(FormatError);
    await expect(loadSafetensors(path)).rejects.toThrow(`safetensors: ${path}: header length`);
    await expect(loadSafetensors(join(dir, "missing"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(loadSafetensors(dir)).rejects.toMatchObject({ code: "EISDIR" });
    writeFileSync(path, "");
    await expect(loadSafetensors(path)).rejects.toThrow("0 bytes are too few");
    await expect(inspectSafetensors(path)).rejects.toThrow("0 bytes are too few");
  });

  test("inspect reads the header alone", async () => {
    const path = join(dir, "m.safetensors");
    await saveSafetensors(path, { w: tensor([[1, 2, 3]]) }, { metadata: { a: "b" } });
    const info = await inspectSafetensors(path);
    expect(info.tensors.get("w")).toEqual({ dtype: "F32", shape: [1, 3], begin: 0, end: 12 });
    expect(info.metadata.get("a")).toBe("b");
    expect(info.fileSize).toBe(readFileSync(path).length);
    expect(existsSync(path)).toBe(true);
  });
});
