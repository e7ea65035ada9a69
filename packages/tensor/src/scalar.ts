/** JavaScript numbers beside tensors. */
import { defaultBackend, type Backend } from "./backend.ts";
import { scalarDType, store, type DType } from "./dtype.ts";
import type { Tensor} from "./tensor.ts";
import { empty } from "./tensor.ts";

const constants = new WeakMap<Backend, Map<string, Tensor>>();
const mostConstants = 64;

/** A number as a 0-d tensor beside `other`, in the type that `other` gives it. Kept per engine: the same number is uploaded once. */
export function scalar(value: number, other: { dtype: DType; backend: Backend } = { dtype: "f32", backend: defaultBackend() }): Tensor<[]> {
  const { backend } = other;
  const dtype = scalarDType(value, other.dtype);
  let known = constants.get(backend);
  if (!known) constants.set(backend, (known = new Map()));
  const key = `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
  let t = known.get(key);
  if (!t) {
    // The one not used for longest goes; its memory follows when no tape holds it any more.
    if (known.size >= mostConstants) {
      const [oldest, constant] = known.entries().next().value!;
      known.delete(oldest);
      constant.dispose();
    }
    t = empty({ shape: [], dtype }, "scalar", undefined, backend, null);
    t.unsafeView()[0] = store(value, dtype);
  } else {
    known.delete(key);
  }
  known.set(key, t); // the last used one is the last to go
  return t as Tensor as Tensor<[]>;
}
