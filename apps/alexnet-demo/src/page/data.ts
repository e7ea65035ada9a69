/** What is learnt from: the bundled pictures, CIFAR-10, or a folder that is chosen or dropped anywhere on the page. */
import type { PictureFile } from "../shared/protocol.ts";
import type { Client } from "./client.ts";
import { h } from "./dom.ts";
import { number, onLanguage, t } from "./language.ts";
import type { Notices } from "./notices.ts";

export function dataChoice(client: Client, { say }: Notices): HTMLElement {
  const use = (files: PictureFile[] | null): void => client.send({ type: "data", files });
  const input = h("input", {
    type: "file",
    id: "folder",
    webkitdirectory: true,
    hidden: true,
    onchange: () => {
      use([...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath, file })));
      input.value = "";
    },
  });
  const name = h("strong"), size = h("span", { class: "quiet" });
  const back = h("button", { word: "bundled", id: "bundled", hidden: true, onclick: () => use(null) });
  const state = { bundled: true, classes: 0, training: 0, testing: 0 };
  const draw = (): void => {
    name.textContent = state.bundled ? "Fashion-MNIST" : t("ownFolder");
    size.textContent = state.training ? `${number(state.classes)} ${t("classes")}, ${number(state.training)} + ${number(state.testing)} ${t("pictures")}` : "";
    back.hidden = state.bundled;
  };
  onLanguage(draw);
  client
    .on("reading", ({ done, total }) => (size.textContent = `${number(done)} ${t("of")} ${number(total)} ${t("pictures")}`))
    .on("data", ({ bundled, classes, training, labels, unreadable }) => {
      Object.assign(state, { bundled, classes: classes.length, training, testing: labels.length });
      draw();
      if (unreadable > 0) say("unreadable", number(unreadable));
    })
    .on("failed", ({ kind, message }) => {
      if (kind !== "data") return;
      draw();
      say("noData", message);
    });
  acceptFolder((files) => use(files));
  draw();
  return h("fieldset", {}, h("legend", { word: "data" }), h("p", { id: "data" }, name, h("br"), size), h("div", { class: "buttons small" }, h("button", { word: "folder", onclick: () => input.click() }), back, input), h("p", { class: "note", word: "dataNote" }));
}

/** A folder, or batches of CIFAR-10, dropped on the page. */
function acceptFolder(take: (files: PictureFile[]) => void): void {
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
    if (entries.some((entry) => entry.isDirectory || /\.bin(\.gz)?$/.test(entry.name))) void Promise.all(entries.map(filesOf)).then((lists) => take(lists.flat()));
  });
}

async function filesOf(entry: FileSystemEntry): Promise<PictureFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path: entry.fullPath, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const lists: PictureFile[][] = [];
  // A reader hands out a hundred entries at a time, and none when it has no more.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return lists.flat();
    for (const one of some) lists.push(await filesOf(one));
  }
}
