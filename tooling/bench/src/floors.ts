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

// Shares above 1, from caches or Winograd, stand as 1: another machine's caches may be smaller.
export const floors: Readonly<Record<string, Floors>> = {
  avx512: {
    gflops: 110, gbps: 54, plain: 1223,
    shares: {
      sgemm_256: 0.87, sgemm_512: 0.95, sgemm_1024: 0.96, sgemm_2048: 0.95, sgemm_512_tn: 0.94, sgemm_512_nt: 0.95, sgemm_1024_tn: 0.96,
      sgemm_1024_nt: 0.97, sgemm_128_b64: 0.97, sgemm_128_tn_b64: 0.97, sgemm_128_nt_b64: 0.95, conv1_fwd: 1, conv2_fwd: 1, conv3_fwd: 1,
      conv4_fwd: 1, conv5_fwd: 1, conv1_fwdbwd: 1, conv2_fwdbwd: 1, conv3_fwdbwd: 1, conv4_fwdbwd: 1, conv5_fwdbwd: 1, alexnet_fwd: 1,
      alexnet_fwd_b1: 0.89, alexnet_train: 1, alexnet_lrn_fwd: 1, alexnet_lrn_train: 1, cifar_fwd: 1, cifar_train: 1, mlp_train: 0.52,
      lstm_train: 0.71, textcnn_train: 1, xformer_train: 0.73, ew_add_4M: 1, ew_add_16M: 1, ew_relu_4M: 1, ew_relu_16M: 1, ew_exp_4M: 0.91,
      ew_exp_16M: 0.77, ew_tanh_4M: 0.68, ew_tanh_16M: 0.58, softmax_4M: 0.86, sum_16M: 1, dispatch_forward: 0.000003, dispatch_recorded: 0.000002,
      sgemm_128: 0.77, conv3_fwdbwd_b2: 1, cifar_train_b8: 0.74, ew_add_1M: 1, ew_tanh_1M: 0.66, softmax_1M: 0.84, sum_1M: 1,
    },
  },
  "relaxed-simd": {
    gflops: 50, gbps: 54, plain: 1223,
    shares: {
      sgemm_256: 0.64, sgemm_512: 0.81, sgemm_1024: 0.9, sgemm_2048: 0.6, sgemm_512_tn: 0.79, sgemm_512_nt: 0.9, sgemm_1024_tn: 0.87,
      sgemm_1024_nt: 0.94, sgemm_128_b64: 0.92, sgemm_128_tn_b64: 0.91, sgemm_128_nt_b64: 0.94, conv1_fwd: 1, conv2_fwd: 1, conv3_fwd: 1,
      conv4_fwd: 1, conv5_fwd: 1, conv1_fwdbwd: 1, conv2_fwdbwd: 1, conv3_fwdbwd: 1, conv4_fwdbwd: 1, conv5_fwdbwd: 1, alexnet_fwd: 1,
      alexnet_fwd_b1: 0.98, alexnet_train: 1, alexnet_lrn_fwd: 1, alexnet_lrn_train: 1, cifar_fwd: 1, cifar_train: 1, mlp_train: 0.59,
      lstm_train: 0.74, textcnn_train: 1, xformer_train: 0.79, ew_add_4M: 1, ew_add_16M: 1, ew_relu_4M: 1, ew_relu_16M: 1, ew_exp_4M: 0.31,
      ew_exp_16M: 0.31, ew_tanh_4M: 0.2, ew_tanh_16M: 0.2, softmax_4M: 0.26, sum_16M: 0.99, dispatch_forward: 0.000007, dispatch_recorded: 0.000005,
      sgemm_128: 0.9, conv3_fwdbwd_b2: 1, cifar_train_b8: 1, ew_add_1M: 1, ew_tanh_1M: 0.2, softmax_1M: 0.25, sum_1M: 1,
    },
  },
};
