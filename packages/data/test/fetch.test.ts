import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DownloadError, fetchDataset, remoteDatasets, type FetchOptions, type RemoteFile } from "../src/node.ts";

const contents = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const file: RemoteFile = { name: "train-labels.gz", bytes: contents.length, sha256: createHash("sha256").update(contents).digest("hex") };

type Handler = (request: IncomingMessage, response: ServerResponse, call: number) => void;
let server: Server, dir = "", calls: (string | undefined)[] = []; // range header of each request
let handler: Handler;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "nn-fetch-"));
  calls = [];
  server = createServer((request, response) => {
    calls.push(request.headers.range);
    handler(request, response, calls.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

const path = () => join(dir, file.name), part = () => `${path()}.part`;
const get = (options: Partial<FetchOptions> = {}) => fetchDataset("fashion-mnist", { dir, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`, files: [file], ...options });

/** A server that honours ranges. */
const ranged: Handler = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from >= contents.length) return void response.writeHead(416).end();
  if (from === 0) return void response.writeHead(200, { "content-length": contents.length }).end(contents);
  response.writeHead(206, { "content-range": `bytes ${from}-${contents.length - 1}/${contents.length}`, "content-length": contents.length - from }).end(contents.subarray(from));
};
/** Sends only up to `end`, then breaks the connection. */
const breaksAt = (end: number, from = 0, response: ServerResponse) => {
  response.writeHead(from ? 206 : 200, { "content-length": contents.length - from, ...(from && { "content-range": `bytes ${from}-${contents.length - 1}/${contents.length}` }) });
  response.write(contents.subarray(from, end), () => setTimeout(() => response.destroy(), 20));
};
const arrived = () => {
  expect(readFileSync(path()).equals(contents)).toBe(true);
  expect(readdirSync(dir)).toEqual([file.name]); // no .part left
};

test("downloads, reports progress, and does nothing the second time", async () => {
  handler = ranged;
  const seen: number[] = [];
  expect(await get({ onProgress: ({ received }) => seen.push(received) })).toEqual([path()]);
  arrived();
  expect(seen.at(-1)).toBe(contents.length);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  await get();
  expect(calls).toEqual([undefined]);
});

test("a damaged file that is there already is fetched again", async () => {
  handler = ranged;
  writeFileSync(path(), Buffer.alloc(contents.length));
  await get();
  arrived();
});

test("interrupted: goes on where it stopped, within a call", async () => {
  handler = (request, response, call) => (call === 1 ? breaksAt(100_000, 0, response) : ranged(request, response, call));
  await get();
  arrived();
  expect(calls).toEqual([undefined, "bytes=100000-"]);
});

test("interrupted for good: the part stays, and the next call goes on from it", async () => {
  handler = (_, response, call) => breaksAt(50_000 * call, 50_000 * (call - 1), response);
  await expect(get()).rejects.toThrow(/^http:.*train-labels\.gz: .*, after 150000 of 300000 bytes\n {2}hint: run it again: it goes on from there$/s);
  expect(existsSync(path())).toBe(false);
  handler = ranged;
  await get();
  arrived();
  expect(calls.at(-1)).toBe("bytes=150000-");
});

test("a server without ranges: starts over, the result is right", async () => {
  writeFileSync(part(), contents.subarray(0, 1000));
  handler = (_, response) => void response.writeHead(200).end(contents);
  await get();
  arrived();
  expect(calls).toEqual(["bytes=1000-"]);
});

test("a server that answers another range, or refuses the range: starts over", async () => {
  writeFileSync(part(), contents.subarray(0, 1000));
  handler = (request, response, call) => {
    if (call === 1) response.writeHead(206, { "content-range": `bytes 0-9/${contents.length}` }).end(contents.subarray(0, 10));
    else ranged(request, response, call);
  };
  await get();
  arrived();
  rmSync(path());
  writeFileSync(part(), contents.subarray(0, 1000));
  handler = (request, response) => (request.headers.range ? void response.writeHead(416).end() : ranged(request, response, 0));
  await get();
  arrived();
});

test("a checksum mismatch deletes the download and says so", async () => {
  handler = (_, response) => void response.writeHead(200).end(Buffer.alloc(contents.length, 7));
  await expect(get()).rejects.toThrow(DownloadError);
  await expect(get()).rejects.toThrow("train-labels.gz: SHA-256 does not match, the download was deleted");
  expect(readdirSync(dir)).toEqual([]);
});

test("a wrong part is found out by the checksum; the next try is clean", async () => {
  writeFileSync(part(), Buffer.alloc(1000, 7));
  handler = ranged;
  await expect(get()).rejects.toThrow("SHA-256 does not match");
  await get();
  arrived();
});

test("more data than announced are refused", async () => {
  handler = (_, response) => void response.writeHead(200).end(Buffer.concat([contents, contents]));
  await expect(get()).rejects.toThrow("more than the expected 300000 bytes");
  expect(existsSync(path())).toBe(false);
  writeFileSync(part(), Buffer.concat([contents, contents])); // left by something else
  handler = ranged;
  await get();
  arrived();
});

test("404 is final; 503 is tried again", async () => {
  handler = (_, response) => void response.writeHead(404).end("not here");
  await expect(get()).rejects.toThrow(/the server answered 404 Not Found$/);
  expect(calls).toHaveLength(1);
  handler = (request, response, call) => (call < 4 ? void response.writeHead(503).end() : ranged(request, response, call));
  await get();
  arrived();
});

test("a server that falls silent, one that is not there, and Ctrl-C", async () => {
  handler = (_, response) => void response.writeHead(200, { "content-length": contents.length }).write(contents.subarray(0, 10));
  await expect(get({ idleTimeout: 100, attempts: 1 })).rejects.toThrow("no data for 100 ms, after 10 of 300000 bytes");
  await expect(get({ baseUrl: "http://127.0.0.1:1/", attempts: 1 })).rejects.toThrow(/127\.0\.0\.1:1\/train-labels\.gz: .*, after 10 of/);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("stopped by the user")), 50);
  await expect(get({ signal: stop.signal })).rejects.toThrow("stopped by the user");
});

test("an unknown name", async () => {
  await expect(fetchDataset("fashion" as "fashion-mnist", { dir })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [DownloadError: unknown dataset 'fashion'
      hint: known are fashion-mnist]
  `);
  await expect(fetchDataset("toString" as "fashion-mnist", { dir })).rejects.toThrow("unknown dataset 'toString'");
});

const full = new URL("../../../../shared/data/fashion-mnist/", import.meta.url);
test.skipIf(!existsSync(full))("the known sums are those of the real files (skipped where the full set is absent)", () => {
  for (const { name, bytes, sha256 } of remoteDatasets["fashion-mnist"].files) {
    const real = readFileSync(new URL(name, full));
    expect([real.length, createHash("sha256").update(real).digest("hex")]).toEqual([bytes, sha256]);
  }
});
