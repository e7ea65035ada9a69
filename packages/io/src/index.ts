export { decodeTensors, encodeTensors, type EncodeOptions, type LoadedTensors, type Metadata, type NamedTensors } from "./tensors.ts";
export {
  headerLength, MAX_HEADER, readSafetensors, readSafetensorsHeader, writeSafetensors,
  type FileTensor, type Safetensors, type SafetensorsHeader, type TensorInfo,
} from "./safetensors.ts";
export {
  decodeNumbers, encodeNumbers, fileDTypeOf, fileDTypes, fromBFloat, fromHalf, tensorDTypeOf, toBFloat, toHalf,
  type FileDType, type StoredDType,
} from "./dtypes.ts";
export { decodeNpy, encodeNpy, readNpy, type NpyArray } from "./npy.ts";
export { decodeNpz, encodeNpz } from "./npz.ts";
export { decodeTorch, type LoadedTorch, type TorchOptions, type TorchValue } from "./torch.ts";
export { type Bytes, type ByteSource, type ReadOptions } from "./source.ts";
export { exportOnnx, type OnnxModel, type OnnxOptions } from "./onnx/export.ts";
export { JsonError, parseJson, type Json } from "./json.ts";
