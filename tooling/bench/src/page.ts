/** The worker of the page in which peers/chromium.mjs measures: answers messages as a peer does (peers/protocol.py). */
import { prepare, type Prepared } from "./ours.ts";
import { introduce } from "./self.ts";
import type { Workload } from "./workloads.ts";

type Message =
  | { readonly do: "hello"; readonly threads: number; readonly host: string; readonly limits: boolean }
  | { readonly do: "prepare"; readonly workload: Workload }
  | { readonly do: "run"; readonly iterations: number }
  | { readonly do: "release" };

let current: Prepared | null = null;

async function answer(message: Message): Promise<object> {
  switch (message.do) {
    case "hello":
      return introduce("wasm", message.threads, message.host, message.limits);
    case "prepare":
      current?.dispose();
      current = prepare(message.workload.spec);
      current.step();
      return {};
    case "run": {
      const start = performance.now();
      for (let i = 0; i < message.iterations; i++) current!.step();
      return { ms: (performance.now() - start) / message.iterations };
    }
    case "release":
      current?.dispose();
      current = null;
      return {};
  }
}

onmessage = ({ data }: MessageEvent<Message>) => {
  answer(data).then(postMessage, (error: Error) => postMessage({ missing: `${error.name}: ${error.message}` }));
};
