/** Training with files: checkpoints that survive `kill -9`. */
export { CheckpointFile } from "./checkpoint-file.node.ts";
