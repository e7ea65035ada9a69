export {
  fashionMnistSubset, fashionMnistSubsetDir, loadFashionMnist, loadIdxImages, loadIdxLabels, loadIdxSet,
  type ImageSet, type Part,
} from "./mnist.node.ts";
export { DownloadError, fetchDataset, remoteDatasets, type DatasetName, type FetchOptions, type FetchProgress, type RemoteDataset, type RemoteFile } from "./fetch.node.ts";
export { loadCifar10 } from "./cifar.node.ts";
export { decodeImage } from "./decode-image.node.ts";
export { ImageFiles, listImages, type ImageFile, type ImageListing } from "./image-folder.node.ts";
export { cachedStatistics } from "./image-statistics.node.ts";
export { DataWorkerError, WorkerDataset, type WorkerDatasetOptions } from "./worker-dataset.node.ts";
