/** From settings to a network and an optimizer, and from a file back to settings. */
import { decodeTensors, encodeTensors } from "@nn/io";
import { SGD, RMSprop, Adagrad, AdamW, Lion, type Optimizer } from "@nn/optim";
import { FormatError, type Tensor } from "@nn/tensor";
import { AlexNetFashion } from "@nn/vision";
import { activations, kernels, widths, type NetworkSettings, type TrainingSettings } from "../shared/settings.ts";

export const makeNetwork = (settings: NetworkSettings, classes = 10): AlexNetFashion => new AlexNetFashion({ ...settings, classes });

export function makeOptimizer(model: AlexNetFashion, { optimizer, lr }: TrainingSettings): Optimizer<{ lr: number }> {
  const parameters = model.parameters();
  switch (optimizer) {
    case "adamw": return new AdamW(parameters, { lr, weightDecay: 0.02 });
    case "sgd": return new SGD(parameters, { lr, momentum: 0.9, weightDecay: 5e-4 });
    case "nesterov": return new SGD(parameters, { lr, momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
    case "rmsprop": return new RMSprop(parameters, { lr });
    case "adagrad": return new Adagrad(parameters, { lr });
    case "lion": return new Lion(parameters, { lr, weightDecay: 0.02 });
  }
} // prettier-ignore

/** A safetensors file with the switches of the network in its metadata. */
export const encodeNetwork = (model: AlexNetFashion, settings: NetworkSettings): Uint8Array =>
  encodeTensors(model.stateDict(), { metadata: { network: JSON.stringify(settings) } });

/**
 * Tensors of a file and the network they belong to. What the tensors' names and shapes do not tell (activation, kind of pooling)
 * is read from the metadata, or else is as the paper has it.
 *
 * @throws FormatError for a file that is damaged, or of another model.
 */
export function decodeNetwork(file: Uint8Array, classes = 10): { tensors: Map<string, Tensor>; network: NetworkSettings } {
  const { tensors, metadata } = decodeTensors(file);
  const shape = tensors.get("features.0.weight")?.shape;
  const width = widths.find((w) => w === shape?.[0]), kernel = kernels.find((k) => k === shape?.[2]);
  if (!width || !kernel) {
    throw new FormatError("model", 8, shape ? `its first filters are [${shape.join(",")}]` : "it has no features.0.weight", { hint: `a network of this page has ${widths.join(", ")} first filters of side ${kernels.join(", ")}` });
  }
  const outputs = tensors.get("classifier.6.bias")?.size ?? tensors.get("classifier.4.bias")?.size;
  if (outputs !== classes) throw new FormatError("model", 8, `it tells ${outputs ?? 0} classes apart, the pictures have ${classes}`);
  const noted = notes(metadata.get("network"));
  return {
    tensors,
    network: {
      width,
      kernel,
      activation: activations.find((a) => a === noted.activation) ?? "relu",
      overlapping: noted.overlapping !== false,
      lrn: tensors.has("features.4.weight"), // one layer more stands before the second convolution
      dropout: tensors.has("classifier.1.weight"),
    },
  };
}

function notes(json = "{}"): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
