/** The built page on a server of its own, and a browser to visit it with. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright";
import { build, preview, type PreviewServer } from "vite";
import { findChromium } from "../../../tooling/scripts/chromium.mjs";
import { isolation } from "../vite.config.ts";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const found = findChromium();

/** Builds into a new folder, so that tests do not stand in each other's way. */
export async function buildSite(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "nn-demo-"));
  await build({ root, logLevel: "error", build: { outDir } });
  return outDir;
}

/** Without isolation as a plain file server would send it. */
export async function serve(outDir: string, { isolated }: { isolated: boolean }): Promise<{ server: PreviewServer; url: string }> {
  const server = await preview({ root, configFile: false, logLevel: "error", build: { outDir }, preview: { port: 0, headers: isolated ? isolation : {} } });
  return { server, url: server.resolvedUrls!.local[0]! };
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: found.path, args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
