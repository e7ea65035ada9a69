/**
 * Shapes at compile time. A literal shape like `[2, 3]` is followed through ops and a misfit is an error in the editor;
 * any `number` in a shape, or an unknown rank, passes and is checked at run time.
 */
import type { Shape } from "./layout.ts";

/** True where the rank is unknown, as in `Shape` or `number[]`. */
export type IsWide<S extends Shape> = number extends S["length"] ? true : false;
/** `S`; an array of unknown length becomes `Shape`, so that all tensors of unknown rank have one type and can be assigned to each other. */
export type Known<S extends Shape> = true extends IsWide<S> ? Shape : S;

/** `dim` made non-negative; `number` where it cannot be known. */
type Wrap<S extends Shape, D extends number> = `${D}` extends `-${infer M extends number}` ? Index<S, M> : D;
/** Position counted from the end: `Index<[2,3,4], 1>` is 2. */
type Index<S extends Shape, FromEnd extends number, Seen extends unknown[] = []> = S extends readonly [...infer Head extends number[], number]
  ? [...Seen, unknown]["length"] extends FromEnd ? Head["length"] : Index<Head, FromEnd, [...Seen, unknown]>
  : number;

type Last<S extends Shape> = S extends readonly [...number[], infer L extends number] ? L : never;
type Init<S extends Shape> = S extends readonly [...infer I extends number[], number] ? I : [];

// — broadcasting —
type Dim<A extends number, B extends number> = A extends B ? A : number extends A ? (B extends 1 ? number : B) : number extends B ? (A extends 1 ? number : A) : A extends 1 ? B : B extends 1 ? A : never;

type BroadcastTail<A extends Shape, B extends Shape, Done extends number[] = []> = A extends readonly []
  ? [...B, ...Done]
  : B extends readonly []
    ? [...A, ...Done]
    : BroadcastTail<Init<A>, Init<B>, [Dim<Last<A>, Last<B>>, ...Done]>;

type HasNever<S extends Shape> = S extends readonly [infer H, ...infer T extends number[]] ? ([H] extends [never] ? true : HasNever<T>) : false;

/** Shape of an element-wise result. */
export type Broadcast<A extends Shape, B extends Shape> = true extends IsWide<A> | IsWide<B> ? Shape : BroadcastTail<A, B>;

/** An error in the editor: the property name is the message. */
export interface Misfit<Message extends string> {
  readonly __shapeError: Message;
}
type Text<S extends Shape> = S extends readonly [infer H extends number, ...infer T extends number[]] ? (T extends [] ? `${H}` : `${H},${Text<T>}`) : "";

/** `unknown` if `B` broadcasts with `A`, else a message type that nothing is assignable to. */
export type FitsBroadcast<A extends Shape, B extends Shape> = true extends IsWide<A> | IsWide<B>
  ? unknown
  : HasNever<BroadcastTail<A, B>> extends true
    ? Misfit<`[${Text<A>}] and [${Text<B>}] do not broadcast`>
    : unknown;

// — matmul —
/** Shape of `a.matmul(b)`, for 1-d, 2-d and equal-rank or broadcast batches. */
export type MatMul<A extends Shape, B extends Shape> = true extends IsWide<A> | IsWide<B>
  ? Shape
  : A extends readonly [number]
    ? B extends readonly [number] ? [] : [...Init<Init<B>>, Last<B>]
    : B extends readonly [number]
      ? Init<A>
      : [...Broadcast<Init<Init<A>>, Init<Init<B>>>, Last<Init<A>>, Last<B>];

type InnerOf<B extends Shape> = B extends readonly [infer N extends number] ? N : Last<Init<B>>;
export type FitsMatMul<A extends Shape, B extends Shape> = true extends IsWide<A> | IsWide<B>
  ? unknown
  : [Dim1<Last<A>, InnerOf<B>>] extends [never]
    ? Misfit<`matmul: inner sizes differ: [${Text<A>}] @ [${Text<B>}]`>
    : unknown;
type Dim1<A extends number, B extends number> = number extends A | B ? number : A extends B ? A : never;

// — layers: the last dimension holds features —
/** `unknown` if the last size of `S` may be `N`, else a message type. */
export type FitsLast<S extends Shape, N extends number> = true extends IsWide<S>
  ? unknown
  : [Dim1<Last<S>, N>] extends [never]
    ? Misfit<`the last size of [${Text<S>}] must be ${N}`>
    : unknown;
/** `S` with the last size `N`. */
export type WithLast<S extends Shape, N extends number> = true extends IsWide<S> ? Shape : [...Init<S>, N];

// — movement and reduction —
/** `S` without dimension `D`, or with size 1 there. */
export type Reduce<S extends Shape, D extends number, Keep extends boolean> = true extends IsWide<S>
  ? Shape
  : number extends D
    ? Shape
    : ReduceAt<S, Wrap<S, D>, Keep>;
type ReduceAt<S extends Shape, D extends number, Keep extends boolean, Before extends number[] = []> = S extends readonly [infer H extends number, ...infer T extends number[]]
  ? Before["length"] extends D
    ? Keep extends true ? [...Before, 1, ...T] : [...Before, ...T]
    : ReduceAt<T, D, Keep, [...Before, H]>
  : Shape;

/** All dimensions reduced: 0-d, or ones. */
export type ReduceAll<S extends Shape, Keep extends boolean> = Keep extends true ? { [I in keyof S]: 1 } : [];

/** Shape after `t()`. */
export type Transpose2<S extends Shape> = S extends readonly [infer A extends number, infer B extends number] ? [B, A] : Shape;

/** Sizes picked by `dims`. */
export type Permute<S extends Shape, D extends readonly number[]> = true extends IsWide<S> ? Shape : number extends D["length"] ? Shape : { -readonly [I in keyof D]: S[Wrap<S, D[I] & number>] extends number ? S[Wrap<S, D[I] & number>] : number };

/** A target shape without -1 keeps its literals. */
export type ReshapeTo<T extends readonly number[]> = number extends T["length"] ? Shape : { -readonly [I in keyof T]: T[I] extends -1 ? number : T[I] };
