/** Why the benchmark stopped, in one line: "usage" for arguments that make no sense, "failure" for what cannot run here or went wrong. */
export class BenchError extends Error {
  override readonly name = "BenchError";
  readonly code: "usage" | "failure";
  constructor(code: "usage" | "failure", message: string) {
    super(message);
    this.code = code;
  }
}
export const usage = (message: string): BenchError => new BenchError("usage", message);
