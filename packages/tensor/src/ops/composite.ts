import { scope } from "../memory.ts";

/** A function of tensors made of other ops: its intermediate results end when it returns; a tape keeps what it needs of them. */
export const composite = <A extends unknown[], R>(name: string, f: (...args: A) => R): ((...args: A) => R) => (...args) => scope(() => f(...args), name);
