/** The few names that PyTorch's checkpoints import, as data: storages, views of them, ordered dicts. */
import { fileDTypes, type FileDType } from "./dtypes.ts";
import { kindOf, PickledFunction, PickledObject, PickleError, setItem, type Pickled, type PickleOptions } from "./pickle.ts";
import { elementCount } from "./strided.ts";
import { show } from "./text.ts";

const dtypes: Readonly<Record<string, FileDType>> = {
  float32: "F32", float64: "F64", float16: "F16", bfloat16: "BF16", int8: "I8", int16: "I16", int32: "I32", int64: "I64", uint8: "U8", uint16: "U16", uint32: "U32", uint64: "U64", bool: "BOOL",
};
const storageTypes: Readonly<Record<string, FileDType>> = {
  Float: "F32", Double: "F64", Half: "F16", BFloat16: "BF16", Char: "I8", Short: "I16", Int: "I32", Long: "I64", Byte: "U8", Bool: "BOOL",
};

class StorageType extends PickledObject {
  readonly what = "a storage type";
  /** null: bytes, of which each tensor says what they are. */
  readonly dtype: FileDType | null;
  constructor(dtype: FileDType | null) {
    super();
    this.dtype = dtype;
  }
}

/** Memory that tensors share: an entry `data/<key>` of the archive. */
export class TorchStorage extends PickledObject {
  readonly what = "a storage";
  readonly key: string;
  readonly dtype: FileDType | null;
  readonly bytes: number;
  constructor(key: string, dtype: FileDType | null, bytes: number) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.bytes = bytes;
  }
}

/** A view of a storage, checked to lie within it. */
export class TorchView extends PickledObject {
  readonly what = "a tensor";
  readonly storage: TorchStorage;
  readonly dtype: FileDType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Pickled, dtype: FileDType | null, offset: Pickled, shape: Pickled, strides: Pickled) {
    super();
    if (!(storage instanceof TorchStorage)) throw new PickleError(`makes a tensor of ${kindOf(storage)}`);
    const type = dtype ?? storage.dtype;
    if (type === null || (storage.dtype !== null && storage.dtype !== type)) throw new PickleError("makes a tensor of unknown type");
    if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) throw new PickleError("makes a tensor whose offset, sizes and strides are not whole numbers that belong together");
    const count = elementCount(shape);
    if (count === null) throw new PickleError(`makes a tensor of [${shape.join(",").slice(0, 80)}], which is too large`);
    const held = storage.bytes / fileDTypes[type];
    const end = count === 0 ? offset : shape.reduce((at, size, d) => at + (size - 1) * strides[d]!, offset) + 1;
    if (end > held) throw new PickleError(`makes a tensor of [${shape}] with strides [${strides}] at ${offset} of storage ${show(storage.key)}, which holds ${held}`);
    this.storage = storage;
    this.dtype = type;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const isSize = (value: Pickled): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isSizes = (value: Pickled): value is number[] => Array.isArray(value) && value.length <= 64 && value.every(isSize);

function orderedDict(args: readonly Pickled[]): Pickled {
  const dict = new Map<string | number, Pickled>();
  const items = args[0] ?? [];
  if (args.length > 1 || !Array.isArray(items)) throw new PickleError("makes an OrderedDict of something else than pairs");
  for (const pair of items) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new PickleError("makes an OrderedDict of something else than pairs");
    setItem(dict, pair[0]!, pair[1]!);
  }
  return dict;
}

/** The dtype that a value like "torch.float32" names. */
function dtypeNamed(value: Pickled | undefined): FileDType {
  const name = typeof value === "string" ? value.replace(/^torch\./, "") : "";
  if (!Object.hasOwn(dtypes, name)) throw new PickleError("makes a tensor of an unknown type");
  return dtypes[name]!;
}

const functions: Readonly<Record<string, (args: readonly Pickled[]) => Pickled>> = {
  "collections.OrderedDict": orderedDict,
  "torch._utils._rebuild_tensor": ([storage, offset, shape, strides]) => new TorchView(storage ?? null, null, offset ?? null, shape ?? null, strides ?? null),
  // … requires_grad, backward hooks: nothing that weights need.
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides]) => new TorchView(storage ?? null, null, offset ?? null, shape ?? null, strides ?? null),
  "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , dtype]) => new TorchView(storage ?? null, dtypeNamed(dtype), offset ?? null, shape ?? null, strides ?? null),
  "torch._utils._rebuild_parameter": ([data]) => {
    if (!(data instanceof TorchView)) throw new PickleError("makes a parameter of something else than a tensor");
    return data;
  },
  "torch.Size": ([sizes]) => {
    if (!isSizes(sizes ?? null)) throw new PickleError("makes a torch.Size of something else than sizes");
    return sizes!;
  },
  "torch.device": ([type, index]) => {
    if (typeof type !== "string") throw new PickleError("makes a torch.device without a name");
    return typeof index === "number" ? `${type}:${index}` : type;
  },
};

/** `torch.FloatStorage`, `torch.float32`, `torch._utils._rebuild_tensor_v2` …; undefined for everything else. */
function global(name: string): Pickled | undefined {
  if (Object.hasOwn(functions, name)) return new PickledFunction(name, functions[name]!);
  const storage = /^torch\.(\w+)Storage$/.exec(name)?.[1];
  if (storage !== undefined && Object.hasOwn(storageTypes, storage)) return new StorageType(storageTypes[storage]!);
  if (name === "torch.storage.UntypedStorage") return new StorageType(null);
  const dtype = /^torch\.(\w+)$/.exec(name)?.[1];
  return dtype !== undefined && Object.hasOwn(dtypes, dtype) ? name : undefined;
}

/** How to read the pickle of one checkpoint. */
export function torchObjects(): PickleOptions {
  const storages = new Map<string, TorchStorage>();
  return {
    global,
    /** `("storage", type, key, location, number of elements)` */
    persistent(id) {
      const [tag, type, key, , count] = Array.isArray(id) ? id : [];
      if (tag !== "storage" || !(type instanceof StorageType) || typeof key !== "string" || !isSize(count ?? null)) throw new PickleError("refers to something else than a storage");
      const bytes = (count as number) * (type.dtype === null ? 1 : fileDTypes[type.dtype]);
      const known = storages.get(key) ?? new TorchStorage(key, type.dtype, bytes);
      if (known.dtype !== type.dtype || known.bytes !== bytes) throw new PickleError(`refers to storage ${show(key)} by two types or sizes`);
      storages.set(key, known);
      return known;
    },
  };
}
