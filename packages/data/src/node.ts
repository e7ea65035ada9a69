export {
  fashionMnistSubset, fashionMnistSubsetDir, loadFashionMnist, loadIdxImages, loadIdxLabels, loadIdxSet,
  type ImageSet, type Part,
} from "./mnist.node.ts";
export { DownloadError, fetchDataset, remoteDatasets, type DatasetName, type FetchOptions, type FetchProgress, type RemoteDataset, type RemoteFile } from "./fetch.node.ts";
