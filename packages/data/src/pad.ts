/** Batches of samples of unequal length. */
import { collate, emptyLike, fieldOf, mapFields, type Fields, type NdArray } from "./array.ts";

export interface PadOptions {
  /** What fills the ends: one number, or one by field (0 for those not named), e.g. `{ 1: -100 }` for targets that a loss ignores. Default 0. */
  value?: number | Readonly<Record<string, number>>;
}

/**
 * A `collate` that pads every field along its first dimension to the longest sample of the batch: n × [length, …] → [n, longest, …].
 * Let samples carry their length as one more field: layers need it.
 *
 *     const sentences = new ArrayDataset(texts.map((ids, i) => [ids, labels[i], ids.length])); // ids: Int32Array
 *     for await (const [ids, label, lengths] of new DataLoader(sentences, { collate: padCollate() })) …
 *
 * @throws ShapeError if samples differ in more than their first dimension
 */
export function padCollate({ value = 0 }: PadOptions = {}): <F extends Fields>(samples: F[]) => F {
  const valueOf = (key: string): number => (typeof value === "number" ? value : (value[key] ?? 0));
  return <F extends Fields>(samples: F[]): F => {
    if (samples.length === 0) return collate(samples); // which says so
    const longest = mapFields(samples[0]!, (_, key) => Math.max(...samples.map((sample) => fieldOf(sample, key).shape[0] ?? 0))) as Record<string, number>;
    return collate(samples.map((sample) => mapFields(sample, (field, key) => padded(field, longest[key]!, valueOf(key))) as F));
  };
}

/** [length, …] → [longest, …]; single numbers as they are. */
function padded(field: NdArray, longest: number, value: number): NdArray {
  const [length, ...rest] = field.shape;
  if (length === undefined || length === longest) return field;
  const row = rest.reduce((size, n) => size * n, 1);
  const data = emptyLike(field.data, longest * row).fill(value);
  data.set(field.data);
  return { data, shape: [longest, ...rest] };
}
