import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { root } from "./workspace.ts";

// Shapes in types must not make editors slow: 50 layers may add 0.7 s of checking. A clock would measure the machine's other work,
// so the budget is the compiler's own count of instantiations. 50 layers need 13,592, which took TypeScript 6.0.3 (the slower of our
// two compilers) 0.24 s; the limit stands for about 0.35 s, so a slower machine still has room.
const limit = 20_000;

/** `n` Linear layers of different sizes, each followed by three ops with literal shapes. */
function network(n: number): string {
  const size = (i: number): number => 10 + ((i * 37) % 50);
  const layers = Array.from({ length: n }, (_, i) => `const x${i + 1} = new Linear(${size(i)}, ${size(i + 1)}).call(x${i}).relu().add(ones([${size(i + 1)}])).mul(0.5);`);
  return [`import { Linear } from "@nn/layers";`, `import { ones, type Tensor } from "@nn/tensor";`, `const x0 = ones([8, ${size(0)}]);`, ...layers, `export const y: Tensor<[8, ${size(n)}]> = x${n};`].join("\n");
}

test("type-checking 50 layers stays cheap", (context) => {
  const files = new Map([1, 51].map((n) => [join(root, "packages/layers/test", `layers-${n}.ts`), network(n)]));
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile) as { config: { compilerOptions: object } };
  const { options, errors } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  expect(errors).toEqual([]);
  const host = ts.createCompilerHost(options);
  const [read, exists] = [(path: string) => files.get(path) ?? (existsSync(path) ? readFileSync(path, "utf8") : undefined), (path: string) => files.has(path) || existsSync(path)];
  const source: typeof host.getSourceFile = (path, language) => ((text) => (text === undefined ? undefined : ts.createSourceFile(path, text, language)))(read(path));
  const program = ts.createProgram([...files.keys()], options, Object.assign(host, { readFile: read, fileExists: exists, getSourceFile: source }));

  const [warm, measured] = [...files.keys()].map((path) => program.getSourceFile(path)!);
  expect(program.getSemanticDiagnostics(warm).map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"))).toEqual([]);
  const before = program.getInstantiationCount();
  const started = performance.now();
  expect(program.getSemanticDiagnostics(measured).map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"))).toEqual([]);
  const added = program.getInstantiationCount() - before;
  context.annotate(`50 layers: ${added} instantiations, ${(performance.now() - started).toFixed(0)} ms`);
  expect(added).toBeGreaterThan(1_000); // something was checked
  expect(added).toBeLessThan(limit);
});
