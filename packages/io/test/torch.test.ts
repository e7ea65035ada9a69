import { readFileSync } from "node:fs";
import { FormatError, Tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { decodeTorch, type TorchValue } from "../src/index.ts";
import { loadTorch } from "../src/node.ts";
import { writeZip } from "../src/zip.ts";

// goldens/make.py wrote these files with PyTorch.
const url = (name: string): URL => new URL(`goldens/${name}`, import.meta.url);
const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(url(name)));
const half = (n: number, start = 0) => Array.from({ length: n }, (_, i) => (start + i) / 2);
const plain = (value: TorchValue): unknown =>
  value instanceof Tensor ? value.toArray() : value instanceof Map ? Object.fromEntries([...value].map(([key, v]) => [key, plain(v)])) : Array.isArray(value) ? value.map(plain) : value;

describe("PyTorch's checkpoints", () => {
  test.each(["state-dict.pt", "protocol-5.pt"])("a state dict: %s", async (name) => {
    const { tensors } = await decodeTorch(golden(name));
    expect([...tensors].map(([key, t]) => `${key} ${t.dtype}[${t.shape.join()}]`)).toMatchInlineSnapshot(`
      [
        "conv.weight f32[3,2,1,2]",
        "conv.bias f32[3]",
        "norm.weight f32[3]",
        "norm.bias f32[3]",
        "norm.running_mean f32[3]",
        "norm.running_var f32[3]",
        "norm.num_batches_tracked i32[]",
        "head.weight f32[2,3]",
      ]
    `);
    expect([...tensors.get("conv.weight")!.dataSync()]).toEqual(half(12));
    expect(tensors.get("head.weight")!.toArray()).toEqual([[0, 0.5, 1], [1.5, 2, 2.5]]);
    expect(tensors.get("norm.num_batches_tracked")!.item()).toBe(0);
  });

  test("views: strides, offsets, shared storages", async () => {
    const { value } = await decodeTorch(golden("views.pt"));
    const rows = Array.from({ length: 6 }, (_, i) => half(4, 4 * i));
    expect(plain(value)).toEqual({
      base: rows,
      column: rows.map((row) => row[1]),
      transposed: [0, 1, 2, 3].map((c) => rows.map((row) => row[c])),
      inner: [rows[1]!.slice(1), rows[2]!.slice(1)],
      "every-other": [rows[0], rows[2], rows[4]],
      expanded: [[0, 0.5], [0, 0.5], [0, 0.5]],
      scalar: 5.5,
      empty: [],
      parameter: rows[5],
    });
  });

  test("whole checkpoints: numbers, text, tuples, an optimizer; a part of them by its key", async () => {
    const { value, tensors } = await decodeTorch(golden("checkpoint.pt"));
    const { optimizer, state_dict, ...rest } = plain(value) as Record<string, unknown>;
    expect(rest).toEqual({
      epoch: 12, best: 0.875, name: "tiny ✓", done: false, nothing: null, steps: 2 ** 40, huge: 2n ** 80n, sizes: [2, 3], device: "cpu", dtype: "torch.float16", history: [1, 2.5, [3, "x"]],
    });
    expect(state_dict).toHaveProperty("weight");
    expect(optimizer).toMatchObject({ param_groups: [{ lr: 1e-3, betas: [0.9, 0.999] }] });
    expect(tensors.has("optimizer.state.4.exp_avg")).toBe(true);
    expect([...(await decodeTorch(golden("checkpoint.pt"), { at: "state_dict" })).tensors.keys()]).toEqual(["weight"]);
    await expect(decodeTorch(golden("checkpoint.pt"), { at: "model" })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [FormatError: torch: there is no "model" in it (at byte 0)
        hint: it has "epoch", "best", "name", "done", "nothing", "steps", "huge", "sizes"]
    `);
  });

  test("every type of numbers", async () => {
    const { tensors } = await decodeTorch(golden("dtypes.pt"));
    expect([...tensors].map(([name, t]) => `${name} ${t.dtype}`).join(", ")).toMatchInlineSnapshot(`"float32 f32, float64 f64, float16 f32, bfloat16 f32, int8 i32, int16 i32, int32 i32, int64 i32, uint8 u8, bool bool"`);
    for (const [name, t] of tensors) expect(t.toArray()).toEqual(name === "bool" ? [true, false] : [[0, 1], [2, 3]]);
  });

  test("a file is read in parts, and named where it is wrong", async () => {
    expect((await loadTorch(url("state-dict.pt").pathname)).tensors.size).toBe(8);
    await expect(loadTorch(url("legacy.pt").pathname)).rejects.toThrow(`torch: ${url("legacy.pt").pathname}: this is PyTorch's old format`);
  });

  test.each(["legacy.pt", "module.pt", "script.pt", "evil.pt", "bare.pkl", "arrays.npz", "matrix.npy"])("refuses %s", async (name) => {
    await expect(decodeTorch(golden(name))).rejects.toThrow(FormatError);
    await expect(decodeTorch(golden(name))).rejects.toThrowErrorMatchingSnapshot();
  });
});

/** An archive of one pickle in Python's text: its opcodes with arguments, protocol 2. */
function archive(pickle: string, storages: Record<string, number> = {}): Uint8Array {
  const bytes = Uint8Array.from(`\x80\x02${pickle}.`, (char) => char.charCodeAt(0));
  return writeZip([["a/data.pkl", bytes], ...Object.entries(storages).map(([key, size]) => [`a/data/${key}`, new Uint8Array(size)] as const)]);
}
const text = (s: string) => `U${String.fromCharCode(s.length)}${s}`;
const storage = (key: string, count: number, type = "torch\nFloatStorage\n") => `(${text("storage")}c${type}${text(key)}${text("cpu")}K${String.fromCharCode(count)}tQ`;
const ints = (...values: number[]) => `(${values.map((v) => `J${String.fromCharCode(v & 255, (v >> 8) & 255, (v >> 16) & 255, (v >>> 24) & 255)}`).join("")}t`;
const rebuilt = (store: string, offset: number, shape: string, strides: string) => `ctorch._utils\n_rebuild_tensor_v2\n(${store}K${String.fromCharCode(offset)}${shape}${strides}\x89NtR`;

describe("the pickle is data, not a program", () => {
  test("the smallest archive", async () => {
    const { tensors } = await decodeTorch(archive(`}${text("w")}${rebuilt(storage("0", 4), 1, ints(2), ints(2))}s`, { 0: 16 }));
    expect(tensors.get("w")!.toArray()).toEqual([0, 0]);
  });

  test("storages of plain bytes, as PyTorch 2 writes for newer types", async () => {
    const bytes = storage("0", 8, "torch.storage\nUntypedStorage\n");
    const tensor = (dtype: string) => `ctorch._utils\n_rebuild_tensor_v3\n(${bytes}K\x00${ints(2)}${ints(1)}\x89N${dtype}NtR`;
    const { tensors } = await decodeTorch(archive(`(${tensor("ctorch\nuint16\n")}${tensor("ctorch\nfloat32\n")}t`, { 0: 8 }));
    expect([...tensors].map(([name, t]) => `${name} ${t.dtype}[${t.shape.join()}]`)).toEqual(["0 i32[2]", "1 f32[2]"]);
    await expect(decodeTorch(archive(tensor("ctorch\nint64\n"), { 0: 8 }))).rejects.toThrow("which holds 1");
    await expect(decodeTorch(archive(tensor("N"), { 0: 8 }))).rejects.toThrow("makes a tensor of an unknown type");
  });

  test.each<[opcode: string, pickle: string]>([
    ["INST", "(ios\nsystem\n"], ["OBJ", "(cos\nsystem\no"], ["NEWOBJ", "cos\nsystem\n)\x81"], ["NEWOBJ", ")\x81"], ["NEWOBJ_EX", ")}\x92"], ["EXT1", "\x82\x01"], ["EXT2", "\x83\x01\x00"],
    ["EXT4", "\x84\x01\x00\x00\x00"], ["PERSID", "Pstorage\n"], ["NEXT_BUFFER", "\x97"], ["READONLY_BUFFER", "\x98"], ["GLOBAL", "cos\nsystem\n"],
    ["STACK_GLOBAL", `${text("builtins")}${text("eval")}\x93`], ["REDUCE", `${text("os.system")})R`], ["BUILD", "]}b"], ["BUILD", `}${text("x")}b`],
  ])("%s is refused", async (opcode, pickle) => {
    await expect(decodeTorch(archive(pickle))).rejects.toThrow(FormatError);
    await expect(decodeTorch(archive(pickle))).rejects.toThrow(
      opcode.endsWith("GLOBAL") ? /imports "(os\.system|builtins\.eval)", which is not known to be data/ : opcode === "REDUCE" ? /calls a string/ : opcode === "BUILD" ? /gives (a list|a dict) a state/ : pickle.startsWith("cos") || pickle.startsWith("(cos") ? /os\.system/ : `opcode ${opcode}, which can run code: refused`,
    );
  });

  test("all other opcodes that Python has are unknown or make data: none of the 256 throws anything but a FormatError", async () => {
    for (let byte = 0; byte < 256; byte++) {
      for (const before of ["", "(", ")", "}", `${text("a")}${text("b")}`]) {
        await decodeTorch(archive(`${before}${String.fromCharCode(byte)}`)).catch((error: unknown) => expect(error).toBeInstanceOf(FormatError));
      }
    }
  });

  test.each<[string, string, Record<string, number>, string]>([
    ["beyond its storage", rebuilt(storage("0", 4), 1, ints(2, 2), ints(2, 1)), { 0: 16 }, 'makes a tensor of [2,2] with strides [2,1] at 1 of storage "0", which holds 4'],
    ["a negative stride", rebuilt(storage("0", 4), 0, ints(2), ints(-1)), { 0: 16 }, "are not whole numbers that belong together"],
    ["sizes without strides", rebuilt(storage("0", 4), 0, ints(2, 2), ints(1)), { 0: 16 }, "are not whole numbers that belong together"],
    ["a product beyond 2⁵³", rebuilt(storage("0", 4), 0, ints(2 ** 30, 2 ** 30), ints(0, 0)), { 0: 16 }, "which is too large"],
    ["one number repeated a billion times", rebuilt(storage("0", 4), 0, ints(2 ** 30), ints(0)), { 0: 16 }, "more than may be unpacked"],
    ["a missing storage", rebuilt(storage("1", 4), 0, ints(2), ints(1)), { 0: 16 }, 'storage "1" is missing'],
    ["a short storage", rebuilt(storage("0", 4), 0, ints(2), ints(1)), { 0: 12 }, 'storage "0" has 12 bytes, the pickle says 16'],
    ["a path as a storage", rebuilt(storage("../data.pkl", 4), 0, ints(2), ints(1)), { 0: 16 }, 'storage "../data.pkl" is missing'],
    ["a storage by two types", `(${storage("0", 4)}${storage("0", 2, "torch\nLongStorage\n")}t`, { 0: 16 }, 'refers to storage "0" by two types or sizes'],
    ["a storage alone", storage("0", 4), { 0: 16 }, "it holds a storage, which is not data"],
    ["a function alone", "ccollections\nOrderedDict\n", {}, "it holds collections.OrderedDict, which is not data"],
    ["__proto__ as a global", "c__proto__\ntoString\n", {}, 'imports "__proto__.toString", which is not known to be data'],
    ["a dtype from Object", "ctorch\ntoString\n", {}, 'imports "torch.toString", which is not known to be data'],
    ["a list within itself", "]q\x00h\x00a", {}, "nested deeper than 64 levels"],
    ["a billion laughs", `${text("ha")}${"q\x000(h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00l".repeat(12)}`, {}, "holds more than 500000 values"],
    ["deep nesting", "]".repeat(20_000) + "a".repeat(19_999), {}, "nested deeper than 64 levels"],
    ["an append to a tuple", ")Na", {}, "appends to a tuple"],
    ["a key twice", `}${text("w")}Ns${text("w")}Ns`, {}, 'sets the key "w" twice'],
    ["a list as a key", "}]Ns", {}, "has a list as a key"],
    ["two tensors of one name", `}${text("a.b")}${rebuilt(storage("0", 4), 0, ints(1), ints(1))}s${text("a")}}${text("b")}${rebuilt(storage("0", 4), 0, ints(1), ints(1))}ss`, { 0: 16 }, 'two tensors are named "a.b"'],
    ["an empty stack", "0", {}, "takes a value from an empty stack"],
    ["values left over", "NN", {}, "ends with 2 values, not with one"],
    ["a number of 200 bytes", "\x8a\xc8", {}, "has a number of 200 bytes"],
    ["text beyond the end", "X\xff\xff\xff\xff", {}, "ends within a value of 4294967295 bytes"],
  ])("refuses %s", async (_, pickle, storages, message) => {
    await expect(decodeTorch(archive(pickle, storages))).rejects.toThrow(FormatError);
    const start = process.cpuUsage();
    await expect(decodeTorch(archive(pickle, storages))).rejects.toThrow(message);
    expect(process.cpuUsage(start).user).toBeLessThan(1e6); // µs
  });

  test.each([["dicts", "}"], ["lists", "]"], ["tuples", ")"], ["marks", "("], ["numbers", "N"], ["stored lists", "]\x94"]])("megabytes of %s are refused soon, in little memory", async (_, piece) => {
    const bytes = archive(piece.repeat(2_100_000));
    const start = process.cpuUsage(), memory = process.memoryUsage().rss;
    await expect(decodeTorch(bytes)).rejects.toThrow("is longer than any state dict of 20000 tensors");
    expect(process.cpuUsage(start).user).toBeLessThan(2e6);
    expect(process.memoryUsage().rss - memory).toBeLessThan(2 ** 29);
  });

  test("thousands of views of one storage take no longer than their number", async () => {
    const view = `h\x00(h\x01K\x00${ints(1)}${ints(1)}\x89NtR`;
    const pickle = `ctorch._utils\n_rebuild_tensor_v2\nq\x00${storage("0", 4)}q\x0100](${view.repeat(20_000)}e`;
    const start = process.cpuUsage();
    expect((await decodeTorch(archive(pickle, { 0: 16 }))).tensors.size).toBe(20_000);
    expect(process.cpuUsage(start).user).toBeLessThan(2e6);
  });

  test("__proto__ is a name like any other", async () => {
    const { tensors, value } = await decodeTorch(archive(`}${text("__proto__")}${rebuilt(storage("0", 4), 0, ints(4), ints(1))}s`, { 0: 16 }));
    expect([...tensors.keys()]).toEqual(["__proto__"]);
    expect((value as Map<string, TorchValue>).get("__proto__")).toBe(tensors.get("__proto__"));
  });
});
