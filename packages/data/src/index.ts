export { collate, ndarray, rowAt, takeRows, toTensors, type Fields, type NdArray, type TensorsOf } from "./array.ts";
export { ArrayDataset, gather, mapDataset, Subset, TensorDataset, trainTestSplit, type Dataset, type Pass, type SplitOptions } from "./dataset.ts";
export { sequential, shuffled, type Sampler } from "./sampler.ts";
export { DataLoader, type LoaderOptions, type LoaderState } from "./loader.ts";
export { centerCrop, compose, normalize, randomCrop, randomHorizontalFlip, toFloat, type CropOptions, type Transform } from "./transforms.ts";
export { asImages, asLabels, checkCounts, parseIdx, readIdx } from "./idx.ts";
export { deflate, gunzip, isGzip, MAX_UNPACKED } from "./gzip.ts";
export { fashionMnistClasses, fashionMnistMean, fashionMnistStd, type LabelledImages } from "./fashion-mnist.ts";
export { encodePng } from "./png.ts";
