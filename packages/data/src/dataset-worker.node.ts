/** The thread of a WorkerDataset: makes the dataset that the module describes, then one batch after the other. */
import { parentPort, workerData } from "node:worker_threads";
import type { Fields, NdArray } from "./array.ts";
import { gatherReadable, type Gathered } from "./corrupt.ts";
import { gather, type Dataset } from "./dataset.ts";
import type { Order, Reply } from "./worker-dataset.node.ts";

const { module, argument } = workerData as { module: string; argument: unknown };
const { dataset: make } = (await import(module)) as { dataset?: (argument: unknown) => Dataset | Promise<Dataset> };
if (typeof make !== "function") throw new TypeError(`${module} exports no function \`dataset\``);
const dataset = await make(argument);

const send = (reply: Reply, transfer: ArrayBuffer[] = []): void => parentPort!.postMessage(reply, transfer);
const buffers = (batch: Fields): ArrayBuffer[] => [...new Set((Object.values(batch) as NdArray[]).map(({ data }) => data.buffer as ArrayBuffer))];

const read = async ({ indices, pass, skip }: Order): Promise<Gathered<Fields>> =>
  skip ? gatherReadable(dataset, indices, pass) : { batch: await gather(dataset, indices, pass), corrupt: [] };

parentPort!.on("message", (order: Order) => {
  read(order).then(
    ({ batch, corrupt }) => send({ id: order.id, batch, corrupt }, batch ? buffers(batch) : []),
    (error: unknown) => send({ id: order.id, error: error instanceof Error ? error.message : String(error) }),
  );
});
send({ length: dataset.length });
