/** The network and the training of Krizhevsky, Sutskever and Hinton 2012 on ImageNet; and a small cousin for Tiny ImageNet's first ten classes. */
import { HeavyBall, schedule } from "@nn/optim";
import { AlexNetSmall, alexnet } from "@nn/vision";
import { imageFolderRecipe } from "./image-folder.ts";

/**
 * The rate is divided by ten three times. The authors did so when the validation error stalled; here it happens after fixed shares of the epochs, so that
 * a resumed run is the same to the bit.
 */
const threeDrops = (updates: number) => schedule.multiStep([0.35, 0.65, 0.9].map((share) => Math.round(share * updates)));

/** `--data` is a folder with `train/<synset>/*.JPEG` and `val/<synset>/*.JPEG`, a thousand classes. */
export const alexnetImagenet = imageFolderRecipe({
  name: "alexnet-imagenet",
  description: "AlexNet as in the paper of 2012 on ImageNet (256×256 pictures, random 224×224 windows, a thousand classes)",
  defaults: { epochs: 90, batch: 128, lr: 0.01, seed: 1 },
  classes: Array.from({ length: 1000 }, (_, i) => `class ${i}`),
  square: 256,
  crop: 224,
  network: () => alexnet({ variant: "krizhevsky2012", dropout: { scaleAt: "evaluation" } }),
  optimizer: (model, lr) => new HeavyBall(model.parameters(), { lr, momentum: 0.9, weightDecay: 5e-4 }),
  schedule: threeDrops,
});

/** The same pipeline at a quarter of the size: `--data tiny-imagenet-10`. */
export const alexnetTiny = imageFolderRecipe({
  name: "alexnet-tiny",
  description: "a small AlexNet on ten classes of Tiny ImageNet (64×64 pictures, random 56×56 windows)",
  defaults: { epochs: 25, batch: 64, lr: 0.01, seed: 1 },
  classes: ["bullfrog", "Egyptian cat", "basketball", "plunger", "reel", "rocking chair", "volleyball", "lemon", "espresso", "cliff"],
  square: 64,
  crop: 56,
  colour: "deviation",
  scale: 1 / 64,
  network: () => new AlexNetSmall({ classes: 10, size: 56 }),
  optimizer: (model, lr) => new HeavyBall(model.parameters(), { lr, momentum: 0.9, weightDecay: 5e-4 }),
  schedule: threeDrops,
});
