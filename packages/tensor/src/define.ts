/**
 * One op is one record: inputs, shape rule, plain reference, gradient per input and samples, side by side.
 * The compiler refuses a missing gradient and a rule that reads something not saved.
 */
import type { Instruction } from "@nn/kernels";
import { apply } from "./dispatch.ts";
import type { DType } from "./dtype.ts";
import type { Layout, Shape } from "./layout.ts";
import type { Tensor } from "./tensor.ts";

/** What is known of a value before it is computed. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Input of a reference: the logical values, dense and row-major, in f64. */
export interface RefArray {
  readonly data: Float64Array;
  readonly shape: Shape;
}

// Input names: "x" required, "b?" optional, "...xs" a list.
type Bare<K extends string> = K extends `${infer N}?` ? N : K extends `...${infer N}` ? N : K;
type RequiredName<K extends string> = K extends `${string}?` ? never : K;
type OptionalName<K extends string> = K extends `${string}?` ? K : never;
type Value<K extends string, T> = K extends `...${string}` ? T[] : T;

/** `{ x: T, b?: T, xs: T[] }` from the names `"x" | "b?" | "...xs"`. */
export type InputMap<K extends string, T> = { [P in RequiredName<K> as Bare<P>]: Value<P, T> } & { [P in OptionalName<K> as Bare<P>]?: T };

type OutputsOf<Out extends string, T> = [Out] extends ["y"] ? T : { [P in Out]: T };

/** Marks an input without gradient, with the reason. */
export interface NoGradient {
  readonly noGradient: string;
}
export const noGradient = (why: string): NoGradient => ({ noGradient: why });

/** What a gradient rule may read: gradients of the outputs, what was saved, attributes and shapes. */
export type RuleContext<K extends string, S extends string, A, Out extends string> = {
  /** Gradient of the first differentiable output; zeros if only others have one. */
  readonly dy: Tensor;
  /** Gradients of the differentiable outputs by name; those that nothing depends on are missing. */
  readonly dys: { readonly [P in Out]?: Tensor };
  /** Inputs whose gradient is asked for. */
  readonly wanted: ReadonlySet<Bare<K>>;
  readonly attrs: A;
  readonly avals: InputMap<K, Aval> & { [P in Out]: Aval };
} & { readonly [P in S & RequiredName<K>]: Tensor } & { readonly [P in Exclude<S, RequiredName<K>> & Bare<K>]?: Tensor } & {
  readonly [P in S & Out]: Tensor;
};

/** For fused gradients: the rules of one node, which get the same context, share one result of `f`. */
export function oncePerNode<C extends object, G>(f: (context: C) => G): (context: C) => G {
  const known = new WeakMap<C, G>();
  return (context) => {
    let found = known.get(context);
    if (found === undefined) known.set(context, (found = f(context)));
    return found;
  };
}

type Rule<P extends string, C> = ((context: C) => Value<P, Tensor>) | NoGradient;
export type Rules<K extends string, S extends string, A, Out extends string> = {
  // Over bare names rather than `K as Bare<P>`: a remapped key would give the rules' parameters no type.
  [N in Bare<K>]: Rule<K extends N | `${N}?` | `...${N}` ? K : never, RuleContext<K, S, A, Out>>;
};

/** How a test makes an input: a shape of random f32 values, or more exactly. */
export interface SampleInput {
  shape: Shape;
  dtype?: DType;
  /** Range of the random values; default [-2, 2]. Integers are drawn for i32, u8 and bool. */
  low?: number;
  high?: number;
  /** All values differ by a fixed gap: keeps max, sort and pooling away from ties. */
  distinct?: boolean;
  /** Keep this far from whole and half numbers, where ReLU, round and others have kinks. */
  awayFrom?: number;
}
export interface Sample<K extends string = string, A = object> {
  inputs: InputMap<K, Shape | SampleInput>;
  attrs: A;
}

export interface OpSpec<K extends string, S extends string, A extends object, Out extends string> {
  readonly name: string;
  readonly inputs: readonly K[];
  /** Names of several outputs. Default: one output, `y`. */
  readonly outputs?: readonly Out[];
  /** Outputs that carry a gradient. Default: the first. */
  readonly differentiable?: readonly Out[];
  /** Inputs and outputs that gradient rules may read. */
  readonly saves: readonly S[];
  /** Those of `saves` that no rule reads under these attributes: they need not be kept. */
  readonly unread?: (attrs: A) => readonly S[];
  /** Shape and dtype of the result, and every shape error of the op. */
  readonly infer: (inputs: InputMap<K, Aval>, attrs: A) => OutputsOf<NoInfer<Out>, Aval>;
  /** Ops that only re-read memory: the layout of the result in the input's storage, or null if it must be copied. */
  readonly view?: (x: Layout, attrs: A) => Layout | null;
  /** Plain loops in f64: the definition. Fills `y`. */
  readonly reference: (inputs: InputMap<K, RefArray>, attrs: A, y: OutputsOf<NoInfer<Out>, RefArray>) => void;
  readonly vjp: Rules<K, S, A, Out>;
  /** Name of the element-wise instruction this op is, if it is one. */
  readonly instruction?: Instruction;
  /**
   * For fused ops: the differentiable outputs from other ops. When the gradient itself is recorded, this is differentiated instead of
   * running the rules, so a fused backward op needs no gradient of its own. All inputs must be saved.
   */
  readonly decompose?: (inputs: InputMap<K, Tensor>, attrs: A) => [Out] extends ["y"] ? Tensor : { [P in Out]?: Tensor };
  readonly samples: readonly Sample<K, A>[];
}

/** An op as dispatch, tape and tests see it: names and functions, no types. */
export interface OpRecord {
  readonly name: string;
  /** Bare input names, in order. */
  readonly inputNames: readonly string[];
  readonly optional: ReadonlySet<string>;
  /** The one list-valued input, or null. */
  readonly list: string | null;
  readonly outputNames: readonly string[];
  readonly differentiable: readonly string[];
  readonly saves: readonly string[];
  readonly unread?: (attrs: object) => readonly string[];
  /** Its rules also give gradients to values that are no inputs, as a recomputed function does to what it captured. */
  readonly captures?: true;
  readonly infer: (inputs: Record<string, Aval | Aval[]>, attrs: object) => Aval | Record<string, Aval>;
  readonly view?: (x: Layout, attrs: object) => Layout | null;
  readonly reference: (inputs: Record<string, RefArray | RefArray[]>, attrs: object, y: RefArray | Record<string, RefArray>) => void;
  readonly vjp: Readonly<Record<string, ((context: Record<string, unknown>) => Tensor | Tensor[]) | NoGradient>>;
  readonly instruction?: Instruction;
  readonly decompose?: (inputs: Record<string, Tensor | Tensor[]>, attrs: object) => Tensor | Record<string, Tensor>;
  readonly samples: readonly Sample[];
}

/** A callable op: `matmul({ a, b })`, with its record beside it. */
export interface Op<K extends string, A extends object, Out extends string> {
  (inputs: InputMap<K, Tensor>, ...attrs: object extends A ? [attrs?: A] : [attrs: A]): OutputsOf<Out, Tensor>;
  readonly record: OpRecord;
}

const records = new Map<string, OpRecord>();
/** Every op defined so far, by name. */
export const allOps: ReadonlyMap<string, OpRecord> = records;

export function defineOp<const K extends string, const S extends Bare<K> | Out, A extends object = object, const Out extends string = "y">(
  spec: OpSpec<K, S, A, Out>,
): Op<K, A, Out> {
  const outputNames: readonly string[] = spec.outputs ?? ["y"];
  const record = {
    ...spec,
    inputNames: spec.inputs.map((k) => k.replace(/^\.\.\.|\?$/g, "")),
    optional: new Set(spec.inputs.filter((k) => k.endsWith("?")).map((k) => k.slice(0, -1))),
    list: spec.inputs.find((k) => k.startsWith("..."))?.slice(3) ?? null,
    outputNames,
    differentiable: spec.differentiable ?? outputNames.slice(0, 1),
  } as unknown as OpRecord;
  records.set(spec.name, record);
  const op = (inputs: Record<string, Tensor | Tensor[]>, attrs: object = {}) => apply(record, inputs, attrs);
  return Object.assign(op, { record }) as unknown as Op<K, A, Out>;
}
