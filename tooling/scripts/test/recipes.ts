import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./workspace.ts";

/** One file of a recipe in CONTRIBUTING.md: the part of a diff between `--- a/…` and the next. */
export interface RecipeFile { path: string; isNew: boolean; lines: string[] }

export const recipeFiles: RecipeFile[] = [...readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(/^```diff\n([\s\S]*?)^```$/gm)]
  .flatMap((block) => block[1]!.split(/^(?=--- )/m))
  .map((diff) => ({ path: /^\+\+\+ b\/(.*)$/m.exec(diff)![1]!, isNew: diff.startsWith("--- /dev/null"), lines: diff.split("\n").slice(2, -1) }));

/** Applies one file's diff in a copy of the repository. Lines that stay must stand together, as `patch` wants them. */
export function applyTo(folder: string, { path, isNew, lines }: RecipeFile): void {
  const file = join(folder, path);
  if (isNew) {
    mkdirSync(dirname(file), { recursive: true });
    return writeFileSync(file, lines.map((l) => `${l.slice(1)}\n`).join(""));
  }
  let text = readFileSync(file, "utf8");
  for (const hunk of lines.join("\n").split(/^@@$/m).map((h) => h.split("\n").filter((l) => l !== "")).filter((h) => h.length > 0)) {
    const side = (marks: string) => hunk.filter((l) => marks.includes(l[0]!)).map((l) => `${l.slice(1)}\n`).join("");
    const at = `\n${text}`.indexOf(`\n${side(" -")}`);
    if (at < 0) throw new Error(`${path} has no lines\n${side(" -")}`);
    text = text.slice(0, at) + side(" +") + text.slice(at + side(" -").length);
  }
  writeFileSync(file, text);
}
