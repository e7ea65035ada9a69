/** Text models. */
export { fastTextArgs, type FastTextArgs, type LossName, type ModelName } from "./fasttext/args.ts";
export { Dictionary, type DictionaryArgs, type Line } from "./fasttext/dictionary.ts";
export { FastText, type Neighbor, type Prediction, type TestResult, type TextPieces } from "./fasttext/fasttext.ts";
export { hashBytes } from "./fasttext/hash.ts";
export { HuffmanTree } from "./fasttext/huffman.ts";
export { DenseMatrix, ProductQuantizer, QuantMatrix, type Matrix } from "./fasttext/matrix.ts";
export type { Scores } from "./fasttext/meter.ts";
export { decodeModel, encodeModel, type ModelParts } from "./fasttext/model-file.ts";
export { decodeVectors, type WordVectors } from "./fasttext/vectors.ts";
export { corpusOf, trainFastText, type FastTextTrainOptions, type TrainedFastText } from "./fasttext/train.ts";
export type { Corpus, TrainOptions, TrainProgress } from "./fasttext/training.ts";
