/** One picture on its way: the pad, five stages of maps, the answer. */
import type { Pixels, View } from "../shared/protocol.ts";
import type { Client } from "./client.ts";
import { atNextFrame, h, panel } from "./dom.ts";
import { className, onLanguage, percent, t } from "./language.ts";
import { pad } from "./pad.ts";
import { drawTiles, mapTile, pictureAt, thumbnail } from "./pictures.ts";

const COLUMNS = 4, SHOWN = 24, STAGES = 5;

export function inside(client: Client, failed: () => void): HTMLElement {
  let pictures: Pixels, labels: Uint8Array;
  let classes: readonly string[] = [];
  let clothes = true;
  let last: View | null = null;
  let wanted: Pixels | null = null;

  // At most one picture is under way, so that drawing never runs ahead of the worker.
  let underWay = false;
  const look = (picture: Pixels): void => {
    wanted = picture;
    if (underWay) return;
    underWay = true;
    client.send({ type: "look", picture });
    wanted = null;
  };
  const board = pad(look, failed, () => clothes);
  const choose = (index: number): void => {
    const picture = pictureAt(pictures, index).slice();
    board.show(picture);
    look(picture);
  };
  const ofClass = (k: number): number => {
    const all = [...labels.keys()].filter((i) => labels[i] === k);
    return all[Math.floor(Math.random() * all.length)]!;
  };

  const samples = h("div", { class: "samples", role: "group", label: "choose" });
  const fillSamples = (): void =>
    samples.replaceChildren(...[...classes.keys()].filter((k) => labels.includes(k)).map((k) => h("button", { class: "sample", title: className(k), "aria-label": className(k), onclick: () => choose(ofClass(k)) }, thumbnail(pictureAt(pictures, labels.indexOf(k)), ""))));

  const excited = h("div", { class: "excited", id: "excited", "aria-live": "polite" }, h("span", { class: "quiet", word: "hoverHint" }));
  const stages = Array.from({ length: STAGES }, (_, stage) => stageView(stage, (channel) => client.send({ type: "unit", stage, channel })));
  const answer = answers();

  const draw = atNextFrame(() => {
    if (!last) return;
    last.stages.forEach((stage, i) => stages[i]!.draw(stage));
    answer.draw(last.probabilities);
  });
  onLanguage(() => {
    fillSamples();
    draw();
  });
  client
    .on("opened", () => (underWay = false))
    .on("data", (message) => {
      ({ pictures, labels, classes, bundled: clothes } = message);
      last = null;
      fillSamples();
      answer.reset(classes.length);
    })
    .on("built", ({ from }) => {
      if (from === "scratch" && !last) choose(Math.max(0, labels.indexOf(classes.length - 1)));
    })
    .on("view", (view) => {
      last = view;
      underWay = false;
      if (wanted) look(wanted);
      draw();
    })
    .on("excited", ({ stage, channel, pictures: found }) => {
      const text = h("span", { class: "quiet" }, `${t("conv")} ${stage + 1}, ${t("unit")} ${channel + 1} ${t("excitedBy")}`);
      excited.replaceChildren(text, h("div", { class: "thumbs" }, ...found.map((i) => thumbnail(pictureAt(pictures, i), className(labels[i]!)))));
    });

  return panel(
    "inside",
    "inside",
    "insideLead",
    h("div", { class: "flow" }, h("div", { class: "flow-start" }, board.element, samples), h("div", { class: "flow-rest" }, h("div", { class: "stages" }, ...stages.map((s) => s.element)), answer.element)),
    excited,
  );
}

interface StageView {
  element: HTMLElement;
  draw(stage: View["stages"][number]): void;
}

/** The first maps of a convolution; one can be pointed at, or chosen with the arrow keys. */
function stageView(index: number, chosen: (channel: number) => void): StageView {
  const canvas = h("canvas", { class: "tiles", tabindex: "0", role: "img", "aria-label": `${t("conv")} ${index + 1}` });
  const mark = h("span", { class: "mark", "aria-hidden": "true" });
  const size = h("span", { class: "quiet" });
  const title = h("h3");
  let count = SHOWN, selected = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const select = (channel: number): void => {
    selected = channel;
    const rows = Math.ceil(count / COLUMNS);
    mark.style.cssText = `left:${((channel % COLUMNS) / COLUMNS) * 100}%;top:${(Math.floor(channel / COLUMNS) / rows) * 100}%;width:${100 / COLUMNS}%;height:${100 / rows}%`;
    clearTimeout(timer);
    timer = setTimeout(() => chosen(channel), 120);
  };
  canvas.onpointermove = (event) => {
    const box = canvas.getBoundingClientRect(), rows = Math.ceil(count / COLUMNS);
    const column = Math.min(COLUMNS - 1, Math.floor(((event.clientX - box.left) / box.width) * COLUMNS));
    const channel = Math.min(rows - 1, Math.floor(((event.clientY - box.top) / box.height) * rows)) * COLUMNS + column;
    if (channel >= 0 && channel < count && channel !== selected) select(channel);
  };
  canvas.onkeydown = (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    if (selected + move >= 0 && selected + move < count) select(selected + move);
  };
  canvas.onfocus = () => select(selected);
  return {
    element: h("figure", { class: "stage" }, h("figcaption", {}, title, size), h("div", { class: "tiles-box" }, canvas, mark)),
    draw({ channels, side, maps }) {
      count = Math.min(SHOWN, channels);
      title.textContent = `${t("conv")} ${index + 1}`;
      size.textContent = channels > count ? `${side}² · ${count} ${t("of")} ${channels}` : `${side}² · ${channels}`;
      canvas.setAttribute("aria-label", `${t("conv")} ${index + 1}: ${channels} ${t("maps")}, ${side} × ${side}`);
      drawTiles(canvas, count, side, COLUMNS, mapTile(maps, side));
    },
  };
}

/** Probabilities as bars, in the order of the classes so that bars do not jump. */
function answers(): { element: HTMLElement; reset(classes: number): void; draw(probabilities: Float32Array): void } {
  const row = () => {
    const name = h("span", { class: "name" }), fill = h("span", { class: "fill" }), value = h("span", { class: "value" });
    return { name, fill, value, element: h("li", {}, name, h("span", { class: "track" }, fill), value) };
  };
  let rows: ReturnType<typeof row>[] = [];
  const best = h("p", { class: "best", id: "best" }), list = h("ul", { id: "probabilities" });
  return {
    element: h("div", { class: "answer" }, h("h3", { word: "answer" }), best, list),
    reset(classes) {
      rows = Array.from({ length: classes }, row);
      list.replaceChildren(...rows.map((r) => r.element));
    },
    draw(probabilities) {
      const top = probabilities.indexOf(Math.max(...probabilities));
      rows.forEach((row, k) => {
        row.name.textContent = className(k);
        row.fill.style.transform = `scaleX(${probabilities[k]})`;
        row.value.textContent = percent(probabilities[k]!);
        row.element.classList.toggle("top", k === top);
      });
      best.textContent = `${className(top)} · ${percent(probabilities[top]!)}`;
    },
  };
}
