export { decodeTensors, encodeTensors, type EncodeOptions, type LoadedTensors, type Metadata, type NamedTensors } from "./tensors.ts";
export {
  headerLength, MAX_HEADER, readSafetensors, readSafetensorsHeader, writeSafetensors,
  type FileTensor, type Safetensors, type SafetensorsHeader, type TensorInfo,
} from "./safetensors.ts";
export {
  decodeNumbers, encodeNumbers, fileDTypeOf, fileDTypes, fromBFloat, fromHalf, tensorDTypeOf, toBFloat, toHalf,
  type FileDType, type StoredDType,
} from "./dtypes.ts";
export { JsonError, parseJson, type Json } from "./json.ts";
