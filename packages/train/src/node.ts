/** Training with files: checkpoints that survive `kill -9`, experiments that go on where they stopped. */
export { CheckpointFile } from "./checkpoint-file.node.ts";
export { trialFile, type TrialFileHead } from "./experiment/trial-file.node.ts";
