// Our own library on WebAssembly in headless Chromium: in a worker of a page that is cross-origin isolated, so with threads.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Missing, installed, serve } from "./protocol.mjs";

const repository = "a clone of the repository";
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** The page's files by path: one bundle per dynamic import, so that the page loads one build of the kernels. */
async function bundle() {
  const { build } = await installed("esbuild", repository);
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../src/page.ts", import.meta.url))], outdir: "/", write: false,
    bundle: true, splitting: true, format: "esm", platform: "browser", target: "es2022", conditions: ["@nn/source"],
  });
  return new Map([["/", "<!doctype html>"], ...outputFiles.map(({ path, text }) => [path, text])]);
}

function listen(files) {
  const server = createServer(({ url }, response) => {
    const text = files.get(url);
    response.writeHead(text === undefined ? 404 : 200, { ...headers, "Content-Type": url === "/" ? "text/html" : "text/javascript" }).end(text);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

let page;
const ask = (message) =>
  page.evaluate((data) => new Promise((resolve, reject) => {
    globalThis.worker ??= new Worker("/page.js", { type: "module" });
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(data);
  }), message);

async function answered(message) {
  const answer = await ask(message);
  if (answer.missing !== undefined) throw new Missing(answer.missing);
  return answer;
}

async function hello(threads, limits) {
  const { findChromium } = await installed("../../scripts/chromium.mjs", repository);
  const { path, why } = findChromium();
  if (!path) throw new Missing(why);
  const { chromium } = await installed("playwright", repository);
  const browser = await chromium.launch({ executablePath: path, handleSIGTERM: false, args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${await listen(await bundle())}/`);
  return answered({ do: "hello", threads, limits, host: `Chromium ${browser.version()}` });
}

process.on("SIGTERM", () => process.exit(0)); // the browser ends with us

await serve(hello, async (spec) => {
  await answered({ do: "prepare", workload: { spec } });
  return {
    step: () => {},
    run: async (iterations) => (await answered({ do: "run", iterations })).ms,
    release: () => answered({ do: "release" }),
  };
});
