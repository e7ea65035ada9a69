/** The workloads of AlexNet run the public model, and the peers their list of layers: both are the same work. */
import { crossEntropy } from "@nn/layers";
import { rand, randint, trace, type Tensor } from "@nn/tensor";
import { expect, it } from "vitest";
import { all, type Workload } from "../src/index.ts";
import { network } from "../src/ours.ts";
import type { Net } from "../src/workloads.ts";

const nets = all.filter((w): w is Workload & { spec: Net } => "spec" in w && w.spec.kind === "net" && w.spec.model !== undefined && !w.name.includes("_b"));

it("covers every workload of AlexNet", () => expect(nets.map((w) => w.name)).toEqual(["alexnet_fwd", "alexnet_train", "alexnet_lrn_fwd", "alexnet_lrn_train"]));

it.each(nets)("$name: alexnet() launches the kernels of its layers, forward and backward", ({ spec }) => {
  const { model: _, ...layers } = spec;
  const [x, y] = [rand([1, ...spec.input]), randint(0, spec.classes, [1]) as Tensor];
  const [model, list] = [spec, layers].map((of) => {
    const net = network(of).train(spec.pass === "train");
    const call = net.call as unknown as (x: Tensor) => Tensor;
    const { launches } = trace(() => crossEntropy(call.call(net, x), y).backward());
    const found = { shapes: net.parameters().map((p) => p.shape), launches: launches.map(({ op, kernel }) => `${op}: ${kernel}`) };
    net.dispose();
    return found;
  });
  expect(model).toEqual(list);
  expect(model!.launches.length).toBeGreaterThan(30);
}, 60_000);
