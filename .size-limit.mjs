// The budget of a page that trains: engine, tensors, gradients, layers and optimizers, with the one WASM variant such a page downloads.

// A page loads one of the embedded builds by dynamic import; the largest is counted, the others are left out.
const otherVariant = /\/wasm\/(?!relaxed-shared)[\w-]+\.gen\.ts$/;

export default [
  {
    name: "trainable core (kernels, tensor, autograd, layers, optim)",
    path: "tooling/scripts/core.ts",
    limit: "150 kB",
    gzip: true,
    modifyRolldownConfig: (config) => ({
      ...config,
      platform: "browser",
      external: (id) => otherVariant.test(id),
      resolve: { conditionNames: ["@nn/source", "browser", "import", "default"] },
    }),
  },
];
