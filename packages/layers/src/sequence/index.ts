/** For sequences: masks of padded batches, the papers' GRUs, transposed convolution over time. */
export { lengthMask, type Lengths } from "./lengths.ts";
export { bahdanau, cho } from "./gru-forms.ts";
export { ConvTranspose1d, type ConvTranspose1dOptions } from "./conv-transpose1d.ts";
