/** What the command says when something goes wrong, and how it exits: 1 failure, 2 usage, 3 bad input or model file. */
import { CsvError } from "@nn/data";
import { DownloadError } from "@nn/data/node";
import { StateDictError } from "@nn/layers";
import { FormatError, NnError, OutOfMemoryError } from "@nn/tensor";

export const exit = { ok: 0, failure: 1, usage: 2, input: 3, interrupted: 130, terminated: 143 } as const;

/** An error of the command line itself. */
export class CliError extends Error {
  readonly code: number;
  constructor(code: number, message: string, hint?: string) {
    super(hint === undefined ? message : `${message}\n  hint: ${hint}`);
    this.code = code;
  }
}
export const usage = (message: string, hint?: string): CliError => new CliError(exit.usage, message, hint);
export const badInput = (message: string, hint?: string): CliError => new CliError(exit.input, message, hint);

/** A file problem in one line. */
const fileProblems: Record<string, string> = {
  ENOENT: "does not exist",
  EISDIR: "is a folder, not a file",
  ENOTDIR: "is not a folder",
  EEXIST: "exists, and is not a folder",
  ELOOP: "is a link that leads back to itself",
  ENAMETOOLONG: "has too long a name",
  EACCES: "may not be accessed",
  EPERM: "may not be accessed",
  EROFS: "is on a read-only file system",
  ENOSPC: "does not fit: the disk is full",
};

/** The result of `work` on the file `path`; an error that does not say which file it is about says it then. */
export async function about<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FormatError && !error.message.includes(path)) throw new FormatError(error.format, error.offset, `${path}: ${error.reason}`, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
    if (error instanceof Error && "code" in error && !("path" in error)) Object.assign(error, { path });
    throw error;
  }
}

/** One clear message and the exit code. Anything unexpected keeps its stack: that is a bug. */
export function explain(error: unknown): { message: string; code: number } {
  if (error instanceof CliError) return { message: error.message, code: error.code };
  if (error instanceof FormatError || error instanceof CsvError || error instanceof StateDictError || error instanceof DownloadError) return { message: error.message, code: exit.input };
  const system = error as NodeJS.ErrnoException;
  if (system?.code !== undefined && system.code in fileProblems) return { message: `${system.path ?? system.message} ${fileProblems[system.code]}`, code: exit.input };
  if (error instanceof NnError || error instanceof OutOfMemoryError) return { message: error.message, code: exit.failure };
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), code: exit.failure };
}
