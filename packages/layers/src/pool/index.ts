/** All pooling layers: of images and sequences, by windows, adaptive, and over all real positions. */
export { MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, type PoolOptions, type MaxPoolOptions, type AvgPoolOptions } from "./pool2d.ts";
export { AdaptiveMaxPool2d } from "./adaptive-max-pool.ts";
export { MaxPool1d, AvgPool1d, AdaptiveAvgPool1d, AdaptiveMaxPool1d, type Pool1dOptions, type MaxPool1dOptions, type AvgPool1dOptions } from "./pool1d.ts";
export { GlobalAvgPool, GlobalMaxPool, type GlobalPoolOptions, type RealPositions } from "./global-pool.ts";
