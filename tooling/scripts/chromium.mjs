// Finds the system's Chromium; nothing is downloaded.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** @returns {{ path: string, why: string }} the executable, or an empty path and the reason */
export function findChromium(env = process.env) {
  if (env.CHROMIUM) return existsSync(env.CHROMIUM) ? { path: env.CHROMIUM, why: "" } : { path: "", why: `CHROMIUM names ${env.CHROMIUM}, which does not exist` };
  const folders = [...(env.PATH ?? "").split(delimiter), "/usr/bin", "/snap/bin", "/Applications/Google Chrome.app/Contents/MacOS"];
  for (const folder of folders) {
    for (const name of [...names, "Google Chrome"]) if (folder && existsSync(join(folder, name))) return { path: join(folder, name), why: "" };
  }
  return { path: "", why: "no Chromium found (install chromium, or set CHROMIUM to its path)" };
}
