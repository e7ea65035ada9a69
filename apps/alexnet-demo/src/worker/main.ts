/** The worker: one engine, one data set, one session; messages are answered in the order they come. */
import { createEngine, engineInfo, ready, setEngine } from "@nn/tensor";
import type { Failure, FromWorker, PictureFile, ToWorker } from "../shared/protocol.ts";
import { cifarFiles, readCifarFiles } from "./cifar.ts";
import { loadBundled, type Data } from "./data.ts";
import { readFolder } from "./folder.ts";
import { decodeNetwork } from "./network.ts";
import { Session } from "./session.ts";

const post = (message: FromWorker): void => postMessage(message);
const bundled = loadBundled();
bundled.catch(() => {}); // reported when the page says `open`
const failures: Partial<Record<ToWorker["type"], Failure>> = { open: "start", load: "file", data: "data" };

let data: Data;
let session: Session;
let queue: Promise<void> = Promise.resolve();

onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  queue = queue.then(() => handle(message)).catch((error: unknown) => report(error, failures[message.type] ?? "other"));
};

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case "open": {
      await ready();
      const engine = createEngine();
      if (message.threads !== null) engine.setThreads(Math.min(message.threads, engine.threads));
      setEngine(engine);
      const { isa, threads, why } = engineInfo(engine);
      post({ type: "opened", engine: { isa, threads, why } });
      data = await dataOf(message.files);
      show(data);
      const file = message.weights && decodeNetwork(message.weights, data.classes.length);
      begin(new Session(file ? { ...message.settings, network: file.network } : message.settings, data, post, file?.tensors), file ? "file" : "scratch");
      return;
    }
    case "data": {
      const next = await dataOf(message.files);
      const { settings } = session;
      await session.dispose();
      data = next;
      show(data);
      return begin(new Session(settings, data, post), "scratch");
    }
    case "build": {
      const { picture } = session;
      await session.dispose();
      return begin(new Session(message.settings, data, post), "scratch", picture);
    }
    case "load":
      return load(message.file);
    case "tune":
      await session.tune(message.training);
      return post({ type: "tuned", settings: session.settings });
    case "run":
      return session.run();
    case "pause":
      return session.stop();
    case "step":
      return session.step();
    case "look":
      session.picture = message.picture;
      return session.look();
    case "unit": {
      const { stage, channel } = message;
      return post({ type: "excited", stage, channel, pictures: session.exciting(stage, channel) });
    }
    case "examine":
      return post({ type: "health", ...(await session.health()) });
    case "export":
      return post({ type: "exported", file: session.onnx() });
    case "save":
      return post({ type: "saved", asked: true, file: session.file() });
  }
}

function dataOf(files: PictureFile[] | null): Promise<Data> {
  if (!files) return bundled;
  const batches = cifarFiles(files);
  return batches.length > 0 ? readCifarFiles(batches) : readFolder(files, (done, total) => post({ type: "reading", done, total }));
}

function show({ bundled, classes, train, test, unreadable }: Data): void {
  post({ type: "data", bundled, classes, training: train.labels.data.length, pictures: test.images.data.slice(), labels: Uint8Array.from(test.labels.data), unreadable });
}

/** A network from a file in place of the one that is there; if the file is no good, that one goes on. */
async function load(file: Uint8Array): Promise<void> {
  const before = session, { running } = before;
  await before.stop({ quiet: true }); // what is made between two batches would end with the batch
  let next: Session;
  try {
    const { tensors, network } = decodeNetwork(file, data.classes.length);
    next = new Session({ ...before.settings, network }, data, post, tensors);
    for (const t of tensors.values()) t.dispose();
  } catch (error) {
    if (running) before.run();
    throw error;
  }
  await before.dispose();
  begin(next, "file", before.picture);
  await next.evaluate();
}

function begin(next: Session, from: "scratch" | "file", picture = next.picture): void {
  session = next;
  session.picture = picture;
  post({ type: "built", settings: session.settings, parameters: session.model.parameterCount(), from });
  session.look();
}

function report(error: unknown, kind: Failure): void {
  post({ type: "failed", kind, message: error instanceof Error ? error.message : String(error) });
}
