/** Weights in and out, and the network as code. */
import { networkCode } from "../shared/code.ts";
import type { Settings } from "../shared/settings.ts";
import pretrainedUrl from "../../pretrained/alexnet-fashion-16.safetensors?url";
import type { Client } from "./client.ts";
import { h, panel, write } from "./dom.ts";
import type { Notices } from "./notices.ts";

export function keep(client: Client, settings: () => Settings, { say }: Notices): HTMLElement {
  const load = (file: ArrayBuffer): void => {
    client.send({ type: "load", file: new Uint8Array(file) });
    asked = true;
  };
  let asked = false;
  const input = h("input", { type: "file", id: "weights-file", accept: ".safetensors", hidden: true, onchange: () => void input.files?.[0]?.arrayBuffer().then(load).finally(() => (input.value = "")) });
  const pretrained = async (): Promise<void> => load(await (await fetch(pretrainedUrl)).arrayBuffer());
  const code = h("pre", { class: "code", tabindex: "0", id: "code" });
  const copy = h("button", { word: "copy", id: "copy", onclick: () => void navigator.clipboard.writeText(code.textContent).then(() => flash()) });
  const flash = (): void => {
    write(copy, "copied");
    setTimeout(() => write(copy, "copy"), 1500);
  };
  const buttons = [
    h("button", { word: "pretrained", id: "pretrained", onclick: () => void pretrained().catch((error: Error) => say("notLoaded", error.message)) }),
    h("button", { word: "save", id: "save", onclick: () => client.send({ type: "save" }) }),
    h("button", { word: "open", onclick: () => input.click() }),
    h("button", { word: "onnx", id: "onnx", onclick: () => client.send({ type: "export" }) }),
    copy,
  ];
  let data = {};
  const show = (): void => void (code.textContent = networkCode(settings(), data));
  client
    .on("data", ({ bundled, classes }) => (data = { bundled, classes: classes.length }))
    .on("built", ({ from }) => {
      show();
      if (from === "file" && asked) say("loaded");
      asked = false;
    })
    .on("tuned", show)
    .on("saved", ({ asked: wanted, file }) => {
      if (!wanted) return;
      download(file, "alexnet-fashion.safetensors");
      say("saved");
    })
    .on("exported", ({ file }) => download(file, "alexnet-fashion.onnx"))
    .on("failed", ({ kind, message }) => {
      if (kind === "file") say("notLoaded", message);
    });
  return panel("keep", "keep", "keepLead", h("div", { class: "buttons" }, ...buttons, input), code);
}

function download(file: Uint8Array, name: string): void {
  const url = URL.createObjectURL(new Blob([file as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
