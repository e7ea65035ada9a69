// What a page needs to train a network; the size budget is measured on this.
export * as kernels from "@nn/kernels";
export * as tensor from "@nn/tensor";
export * as autograd from "@nn/autograd";
export * as layers from "@nn/layers";
export * as optim from "@nn/optim";
