// Builds the page and serves it with the headers that threads need: `pnpm demo`. Options: --port 4173, --open
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, preview } from "vite";

const { values } = parseArgs({ options: { port: { type: "string", default: "4173" }, open: { type: "boolean", default: false } } });
const root = fileURLToPath(new URL(".", import.meta.url));

await build({ root, logLevel: "warn" });
const server = await preview({ root, preview: { port: Number(values.port), open: values.open } });
server.printUrls();
