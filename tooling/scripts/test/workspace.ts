import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Exports { [condition: string]: string | Exports }
export interface Manifest {
  name: string;
  private?: boolean;
  engines?: { node?: string };
  files?: string[];
  exports: Record<string, string | Exports>;
  publishConfig?: { exports?: Record<string, string | Exports> };
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}
export interface Package { name: string; folder: string; manifest: Manifest }

/** The packages that are published: packages/*, the benchmark and the command. */
export const packages: Package[] = [...readdirSync(join(root, "packages")).map((name) => `packages/${name}`), "tooling/bench", "apps/cli"]
  .filter((path) => existsSync(join(root, path, "package.json")))
  .map((path) => {
    const folder = join(root, path);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    return { name: manifest.name, folder, manifest };
  });

/** All TypeScript files below a package's src/. */
export function sources({ folder }: Package): string[] {
  return readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts")).map((file) => join(folder, "src", file));
}
