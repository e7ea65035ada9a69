/**
 * PyTorch's checkpoints (`torch.save`, since version 1.6): a ZIP archive of one pickle, which says what there is, and one entry of
 * plain numbers per storage. The pickle is not run but read as data (`pickle.ts`); views, strides and shared storages become tensors.
 */
import { FormatError, fromTyped, type Tensor, type TypedArray } from "@nn/tensor";
import { decodeNumbersOr, tensorDTypeOf, type FileDType } from "./dtypes.ts";
import { kindOf, PickledObject, unpickle, type Pickled } from "./pickle.ts";
import { defaultLimit, sourceOf, type Bytes, type ByteSource, type ReadOptions } from "./source.ts";
import { gather } from "./strided.ts";
import { show } from "./text.ts";
import { torchObjects, TorchView, type TorchStorage } from "./torch-objects.ts";
import { isZip, openZip, type Zip } from "./zip.ts";

/** What a checkpoint holds, as `torch.load` returns it: dicts are Maps, tuples arrays. */
export type TorchValue = null | boolean | number | bigint | string | Uint8Array | Tensor | TorchValue[] | Map<string | number, TorchValue>;

export interface TorchOptions extends ReadOptions {
  /** Key of the part that is wanted, e.g. "state_dict" of a checkpoint that also holds an optimizer. Default: all. */
  at?: string;
}

export interface LoadedTorch {
  /** All tensors by name; those within dicts and lists by path, e.g. "optimizer.state.0.exp_avg". Each made new, in the current scope. */
  tensors: Map<string, Tensor>;
  /** The whole value, with the same tensors in it. */
  value: TorchValue;
}

const format = "torch";
const MAX_PICKLE = 2 ** 24;
const MAX_DEPTH = 64;
const MAX_ITEMS = 500_000;

function fail(offset: number, reason: string, hint?: string): never {
  throw new FormatError(format, offset, reason, hint === undefined ? {} : { hint });
}

/**
 * Reads a `.pt` or `.pth` file, all or nothing: `model.loadStateDict((await decodeTorch(bytes)).tensors)`.
 * F16 and BF16 become f32; integers become i32.
 *
 * @throws FormatError naming what is wrong, also for anything in it that is not data.
 */
export async function decodeTorch(bytes: Bytes, { at, maxBytes }: TorchOptions = {}): Promise<LoadedTorch> {
  const source = sourceOf(bytes);
  await checkStart(source);
  const limit = maxBytes ?? defaultLimit(source.size);
  const zip = await openZip(source, format, { maxBytes: limit });
  const root = await rootOf(zip);
  if (zip.sizeOf(`${root}data.pkl`) > MAX_PICKLE) fail(zip.offsetOf(`${root}data.pkl`), `data.pkl takes ${zip.sizeOf(`${root}data.pkl`)} bytes, more than ${MAX_PICKLE}`);
  const pickled = select(unpickle(await zip.read(`${root}data.pkl`), format, torchObjects()), at);
  const { views, plan } = survey(pickled);
  const numbers = await readViews(zip, root, [...new Set(views.values())], limit);
  // All is read and checked before the first tensor is made: no half-loaded model.
  const tensors = new Map([...numbers].map(([view, data]) => [view, fromTyped(data, view.shape, tensorDTypeOf[view.dtype], "load")] as const));
  return { tensors: new Map([...views].map(([name, view]) => [name, tensors.get(view)!])), value: plan(tensors) };
}

const LEGACY = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

async function checkStart(source: ByteSource): Promise<void> {
  const start = await source.read(0, Math.min(264, source.size));
  if (isZip(start)) return;
  const again = "in Python: torch.save(torch.load(path), path) with PyTorch 1.6 or newer";
  if (LEGACY.every((byte, i) => start[i] === byte)) fail(0, "this is PyTorch's old format, from before version 1.6, which is not read", again);
  if (String.fromCharCode(...start.subarray(257, 262)) === "ustar") fail(257, "this is PyTorch's oldest format, a tar archive, which is not read", again);
  fail(0, start[0] === 0x80 ? "this is a bare pickle, not an archive of torch.save" : "does not start as a zip archive", start[0] === 0x80 ? again : "is this a .pt file?");
}

/** The folder that holds data.pkl, with its slash. */
async function rootOf(zip: Zip): Promise<string> {
  const pickles = zip.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) fail(0, `the archive has ${pickles.length} entries data.pkl`, zip.names.some((name) => name.endsWith(".npy")) ? "this is an .npz file: decodeNpz reads it" : "is this a .pt file?");
  const root = pickles[0]!.slice(0, -"data.pkl".length);
  if (zip.names.some((name) => name === `${root}constants.pkl` || name.startsWith(`${root}code/`))) fail(0, "this is a TorchScript program, not weights alone", "in Python: torch.save(torch.jit.load(path).state_dict(), path)");
  if (zip.has(`${root}byteorder`)) {
    const order = zip.sizeOf(`${root}byteorder`) < 16 ? new TextDecoder().decode(await zip.read(`${root}byteorder`)) : "unknown";
    if (order !== "little") fail(zip.offsetOf(`${root}byteorder`), `byte order is ${JSON.stringify(order)}; little is read`);
  }
  return root;
}

function select(value: Pickled, at: string | undefined): Pickled {
  if (at === undefined) return value;
  const part = value instanceof Map ? value.get(at) : undefined;
  if (part === undefined) fail(0, `there is no ${show(at)} in it`, value instanceof Map ? `it has ${[...value.keys()].slice(0, 8).map((key) => show(String(key))).join(", ")}` : `it is ${kindOf(value)}`);
  return part;
}

const within = (name: string, depth: number, key: string | number): string => (depth === 0 ? String(key) : `${name}.${key}`);

/** Names all tensors, checks that all else is data, and plans the value to be made of it. */
function survey(root: Pickled): { views: Map<string, TorchView>; plan: (tensors: ReadonlyMap<TorchView, Tensor>) => TorchValue } {
  const views = new Map<string, TorchView>();
  let items = 0;
  type Plan = (tensors: ReadonlyMap<TorchView, Tensor>) => TorchValue;
  const visit = (value: Pickled, name: string, depth: number): Plan => {
    // Shared parts are counted as often as they are met, and a list within itself without end.
    if (++items > MAX_ITEMS) fail(0, `it holds more than ${MAX_ITEMS} values`);
    if (depth > MAX_DEPTH) fail(0, `it is nested deeper than ${MAX_DEPTH} levels`);
    if (value instanceof TorchView) {
      if (views.has(name)) fail(0, `two tensors are named ${show(name)}`);
      views.set(name, value);
      return (tensors) => tensors.get(value)!;
    }
    if (value instanceof PickledObject) return fail(0, `it holds ${value.what}, which is not data`);
    if (value instanceof Map) {
      const parts = [...value].map(([key, part]) => [key, visit(part, within(name, depth, key), depth + 1)] as const);
      return (tensors) => new Map(parts.map(([key, part]) => [key, part(tensors)]));
    }
    if (Array.isArray(value)) {
      const parts = value.map((part, i) => visit(part, within(name, depth, i), depth + 1));
      return (tensors) => parts.map((part) => part(tensors));
    }
    return () => value;
  };
  return { views, plan: visit(root, "", 0) };
}

/** The numbers of each view, in row-major order. One storage is in memory at a time, besides what is kept of it. */
async function readViews(zip: Zip, root: string, views: readonly TorchView[], limit: number): Promise<Map<TorchView, TypedArray>> {
  const total = views.reduce((sum, { shape }) => sum + shape.reduce((n, size) => n * size, 8), 0);
  if (total > limit) fail(0, `its tensors take up to ${total} bytes, more than may be unpacked (${limit})`, "views that repeat elements? pass { maxBytes } if you trust the file");
  const groups = new Map<TorchStorage, TorchView[]>();
  for (const view of views) groups.set(view.storage, groups.get(view.storage) ?? []).get(view.storage)!.push(view);
  const numbers = new Map<TorchView, TypedArray>();
  for (const [storage, group] of groups) {
    const name = `${root}data/${storage.key}`, at = zip.offsetOf(name);
    if (!zip.has(name)) fail(0, `storage ${show(storage.key)} is missing`);
    if (zip.sizeOf(name) !== storage.bytes) fail(at, `storage ${show(storage.key)} has ${zip.sizeOf(name)} bytes, the pickle says ${storage.bytes}`);
    const data = await zip.read(name);
    const decoded = new Map<FileDType, TypedArray>(); // one, unless the storage is of plain bytes
    for (const view of group) {
      const all = decoded.get(view.dtype) ?? decodeNumbersOr(view.dtype, data, (reason) => fail(at, `storage ${show(storage.key)}: ${reason}`));
      decoded.set(view.dtype, all);
      numbers.set(view, gather(all, view.shape, view.strides, view.offset));
    }
  }
  return numbers;
}
