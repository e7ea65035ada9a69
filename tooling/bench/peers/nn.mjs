// Our own library on another engine, or on another Node: argv[2] is the kind of engine.
import { introduce, prepare } from "@nn/bench";
import { Missing, serve } from "./protocol.mjs";

const kind = process.argv[2];

async function hello(threads, limits) {
  try {
    return await introduce(kind, threads, `Node ${process.version}`, limits);
  } catch (error) {
    throw error.name === "EngineError" ? new Missing(error.message) : error;
  }
}

await serve(hello, (spec) => {
  const { step, dispose } = prepare(spec);
  return { step, release: dispose };
});
