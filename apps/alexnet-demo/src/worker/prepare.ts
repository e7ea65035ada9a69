/** Pictures as the network reads them. */
import { compose, fashionMnistMean, fashionMnistStd, normalize, toFloat, type NdArray } from "@nn/data";
import { Random } from "@nn/tensor";

const standard = compose(toFloat(), normalize([fashionMnistMean], [fashionMnistStd]));
const notUsed = new Random(0); // nothing here is random

/** Bytes [1, h, w] → f32 of mean 0 and variance 1 over the training set. */
export const prepare = (image: NdArray): NdArray => standard(image, notUsed);
