// written by tooling/scripts/gen-job-abi.ts from packages/kernels/src/abi.ts: pnpm gen
import type { JobName } from "./job-abi.ts";

/** They follow the kernels' in the table of the native engines. */
export const jobIds = {
  fastTextInit: 35,
  fastTextTrain: 36,
} as const satisfies Record<JobName, number>;

/** Arguments by job. Pointers are byte addresses (0 = absent). */
export interface JobArgs {
  fastTextInit: {
    x: number;
    n: number;
    bound: number;
    seed: number;
  };
  fastTextTrain: {
    model: number;
    loss: number;
    dim: number;
    ws: number;
    neg: number;
    wordNgrams: number;
    minn: number;
    maxn: number;
    bucket: number;
    words: number;
    labels: number;
    table: number;
    slots: number;
    starts: number;
    bytes: number;
    prefix: number;
    prefixBytes: number;
    rows: number;
    rowStarts: number;
    keep: number;
    kept: number;
    input: number;
    output: number;
    targets: number;
    sigmoid: number;
    log: number;
    negatives: number;
    negativeCount: number;
    pathStarts: number;
    pathNodes: number;
    pathCodes: number;
    lr: number;
    total: number;
    updateRate: number;
    counter: number;
    parts: number;
    part: number;
    capacity: number;
    ahead: number;
  };
}

export const jobWriters: { readonly [J in JobName]: (d: Float64Array, a: JobArgs[J]) => void } = {
  fastTextInit(d, a) {
    let i = 0;
    d[i++] = a.x;
    d[i++] = a.n;
    d[i++] = a.bound;
    d[i] = a.seed;
  },
  fastTextTrain(d, a) {
    let i = 0;
    d[i++] = a.model;
    d[i++] = a.loss;
    d[i++] = a.dim;
    d[i++] = a.ws;
    d[i++] = a.neg;
    d[i++] = a.wordNgrams;
    d[i++] = a.minn;
    d[i++] = a.maxn;
    d[i++] = a.bucket;
    d[i++] = a.words;
    d[i++] = a.labels;
    d[i++] = a.table;
    d[i++] = a.slots;
    d[i++] = a.starts;
    d[i++] = a.bytes;
    d[i++] = a.prefix;
    d[i++] = a.prefixBytes;
    d[i++] = a.rows;
    d[i++] = a.rowStarts;
    d[i++] = a.keep;
    d[i++] = a.kept;
    d[i++] = a.input;
    d[i++] = a.output;
    d[i++] = a.targets;
    d[i++] = a.sigmoid;
    d[i++] = a.log;
    d[i++] = a.negatives;
    d[i++] = a.negativeCount;
    d[i++] = a.pathStarts;
    d[i++] = a.pathNodes;
    d[i++] = a.pathCodes;
    d[i++] = a.lr;
    d[i++] = a.total;
    d[i++] = a.updateRate;
    d[i++] = a.counter;
    d[i++] = a.parts;
    d[i++] = a.part;
    d[i++] = a.capacity;
    d[i] = a.ahead;
  },
};
