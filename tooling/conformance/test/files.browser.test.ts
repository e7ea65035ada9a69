/** The files of others in a page: from bytes, and from a Blob, which is what a file dropped onto a page is. */
import "@nn/autograd";
import { decodeNpz, decodeTorch, exportOnnx } from "@nn/io";
import { Linear } from "@nn/layers";
import { ready, zeros } from "@nn/tensor";
import { beforeAll, expect, test } from "vitest";
import { commands } from "vitest/browser";

beforeAll(() => ready());

async function golden(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = await commands.readFile(`../../packages/io/test/goldens/${name}`, "base64");
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

test("a PyTorch checkpoint, numpy's archives", async () => {
  const bytes = await golden("state-dict.pt");
  for (const from of [bytes, bytes.buffer, new Blob([bytes])]) {
    const { tensors } = await decodeTorch(from);
    expect(tensors.get("head.weight")!.toArray()).toEqual([[0, 0.5, 1], [1.5, 2, 2.5]]);
  }
  const arrays = await decodeNpz(new Blob([await golden("compressed.npz")])); // deflated
  expect([...arrays.get("ramp")!.dataSync()]).toEqual(Array.from({ length: 50 }, (_, i) => i));
  await expect(decodeTorch(await golden("evil.pt"))).rejects.toThrow('imports "posix.system"');
});

test("ONNX", () => {
  const bytes = exportOnnx(new Linear(3, 2).eval(), zeros([1, 3]));
  expect(new TextDecoder("latin1").decode(bytes)).toContain("Gemm");
});
