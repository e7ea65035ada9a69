/** Functions made of other ops: no record, no kernel, no gradient rule of their own. */
export * from "./composite-elementwise.ts";
export * from "./composite-activation.ts";
export * from "./composite-reduce.ts";
export * from "./composite-movement.ts";
export * from "./composite-indexing.ts";
export * from "./composite-linalg.ts";
export * from "./composite-conv.ts";
export * from "./composite-pool.ts";
export * from "./composite-softmax.ts";
export * from "./composite-lrn.ts";
export * from "./composite-embedding.ts";
export * from "./composite-norm.ts";
export * from "./composite-channel-norm.ts";
export * from "./composite-attention.ts";
