// What every peer in Node speaks; the messages are described in protocol.py.
import { createInterface } from "node:readline";

/** The peer cannot do this workload; the message says why. */
export class Missing extends Error {}

/** hello(threads, limits) → { version, threads, note }; prepare(spec) → { step, note, release, run }, where step may be asynchronous and run(iterations), if given, does the timing itself. */
export async function serve(hello, prepare) {
  // Libraries chat on stdout; the answers must be alone there.
  console.log = console.info = console.error;
  let current = null;
  const answers = {
    hello: ({ threads, limits }) => hello(threads, limits),
    async prepare({ workload }) {
      current?.release?.();
      current = null;
      const prepared = await prepare(workload.spec);
      await prepared.step();
      current = prepared;
      return prepared.note ? { note: prepared.note } : {};
    },
    async run({ iterations }) {
      if (current.run) return { ms: await current.run(iterations) };
      const start = performance.now();
      for (let i = 0; i < iterations; i++) await current.step();
      return { ms: (performance.now() - start) / iterations };
    },
    release() {
      current?.release?.();
      current = null;
      return {};
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    let answer;
    try {
      answer = await answers[message.do](message);
    } catch (error) {
      answer = { missing: error instanceof Missing ? error.message : `${error.name}: ${error.message}`.split("\n")[0] };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

/** Imports a module that comes with `from`. */
export async function installed(name, from = "pnpm bench --install-peers") {
  try {
    return await import(name);
  } catch (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND") throw new Missing(`${name} is not installed; it comes with ${from}`);
    throw error;
  }
}

/** n random floats in [−1, 1). */
export const floats = (n) => Float32Array.from({ length: n }, () => Math.random() * 2 - 1);
