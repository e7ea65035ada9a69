/** What the smoke test compares with, by instruction set: `pnpm bench smoke --json` prints a run in this form. */

export interface Floors {
  /** Limits (limits.ts): per thread, and of all threads together. */
  readonly gflops: number;
  readonly gbps: number;
  /** Additions of a plain JavaScript loop, millions per second. */
  readonly plain: number;
  /** Share of its limit that each workload reached. */
  readonly shares: Readonly<Record<string, number>>;
}

export const floors: Readonly<Record<string, Floors>> = {
  avx512: {
    gflops: 108, gbps: 33, plain: 600,
    shares: {
      sgemm_256: 0.87, sgemm_512: 0.97, sgemm_1024: 0.96, sgemm_2048: 0.96, sgemm_512_tn: 0.95, sgemm_512_nt: 0.95, sgemm_1024_tn: 0.97,
      sgemm_1024_nt: 0.87, sgemm_128_b64: 0.91, sgemm_128_tn_b64: 0.85, sgemm_128_nt_b64: 0.91, conv1_fwd: 0.76, conv2_fwd: 0.95, conv3_fwd: 1,
      conv4_fwd: 1, conv5_fwd: 1, conv1_fwdbwd: 0.7, conv2_fwdbwd: 0.89, conv3_fwdbwd: 1, conv4_fwdbwd: 1, conv5_fwdbwd: 1, alexnet_fwd: 1,
      alexnet_fwd_b1: 0.46, alexnet_train: 0.97, cifar_fwd: 0.83, cifar_train: 0.78, mlp_train: 0.6, ew_add_4M: 1, ew_add_16M: 0.84, ew_relu_4M: 1,
      ew_relu_16M: 0.86, ew_exp_4M: 1, ew_exp_16M: 0.97, ew_tanh_4M: 0.96, ew_tanh_16M: 0.91, softmax_4M: 1, sum_16M: 1, sgemm_128: 0.43,
      conv3_fwdbwd_b2: 0.12, cifar_train_b8: 0.095, ew_add_1M: 1, ew_tanh_1M: 1, softmax_1M: 1, sum_1M: 1,
    },
  },
  "relaxed-simd": {
    gflops: 47, gbps: 30, plain: 600,
    shares: {
      sgemm_256: 0.52, sgemm_512: 0.51, sgemm_1024: 0.42, sgemm_2048: 0.62, sgemm_512_tn: 0.47, sgemm_512_nt: 0.52, sgemm_1024_tn: 0.52,
      sgemm_1024_nt: 0.53, sgemm_128_b64: 0.45, sgemm_128_tn_b64: 0.46, sgemm_128_nt_b64: 0.46, conv1_fwd: 0.48, conv2_fwd: 0.54, conv3_fwd: 0.92,
      conv4_fwd: 0.89, conv5_fwd: 0.91, conv1_fwdbwd: 0.46, conv2_fwdbwd: 0.52, conv3_fwdbwd: 0.71, conv4_fwdbwd: 0.71, conv5_fwdbwd: 0.68,
      alexnet_fwd: 0.37, alexnet_fwd_b1: 0.24, alexnet_train: 0.091, cifar_fwd: 0.048, cifar_train: 0.052, mlp_train: 0.35, ew_add_4M: 1,
      ew_add_16M: 0.29, ew_relu_4M: 1, ew_relu_16M: 1, ew_exp_4M: 0.04, ew_exp_16M: 0.056, ew_tanh_4M: 0.37, ew_tanh_16M: 0.043, softmax_4M: 0.053,
      sum_16M: 1, sgemm_128: 0.5, conv3_fwdbwd_b2: 0.13, cifar_train_b8: 0.11, ew_add_1M: 1, ew_tanh_1M: 0.2, softmax_1M: 0.32, sum_1M: 1,
    },
  },
};
