/** The confusion matrix; a cell opens the pictures in it. */
import type { Pixels, TestResult } from "../shared/protocol.ts";
import type { Client } from "./client.ts";
import { atNextFrame, h, panel, write } from "./dom.ts";
import { className, number, onLanguage, t } from "./language.ts";
import { pictureAt, thumbnail } from "./pictures.ts";

const EXAMPLES = 24;

export function mistakes(client: Client): HTMLElement {
  let pictures: Pixels, labels: Uint8Array;
  let last: TestResult | null = null;
  let open: [actual: number, predicted: number] | null = null;
  let chosen = false; // until then the worst cell is open

  let cells: HTMLButtonElement[][] = [], columnHeads: HTMLElement[] = [], rowHeads: HTMLElement[] = [];
  const table = h("table", { class: "matrix", id: "matrix" });
  function reset(classes: number): void {
    const each = Array.from({ length: classes }, (_, k) => k);
    cells = each.map((row) => each.map((column) => h("button", { class: row === column ? "right" : "wrong", disabled: true, onclick: () => choose([row, column]) })));
    columnHeads = each.map(() => h("th", { scope: "col" }, h("span")));
    rowHeads = each.map(() => h("th", { scope: "row" }));
    table.replaceChildren(h("thead", {}, h("tr", {}, h("td"), ...columnHeads)), h("tbody", {}, ...cells.map((row, k) => h("tr", {}, rowHeads[k]!, ...row.map((cell) => h("td", {}, cell))))));
    last = open = null;
    chosen = false;
    write(heading, "notYet");
    gallery.replaceChildren();
    draw();
  }
  const heading = h("h3", { word: "notYet" });
  const gallery = h("div", { class: "thumbs" });
  const examples = h("div", { class: "examples", id: "examples", "aria-live": "polite" }, heading, gallery);

  const draw = atNextFrame(() => {
    const classes = cells.length;
    for (let k = 0; k < classes; k++) {
      columnHeads[k]!.firstElementChild!.textContent = className(k);
      rowHeads[k]!.textContent = className(k);
    }
    const counts = last?.confusion ?? new Int32Array(classes * classes);
    for (const [a, row] of cells.entries()) {
      const total = counts.subarray(a * classes, (a + 1) * classes).reduce((x, y) => x + y, 0);
      for (const [p, cell] of row.entries()) {
        const count = counts[a * classes + p]!;
        cell.disabled = last === null;
        cell.textContent = count === 0 ? "" : number(count);
        cell.style.setProperty("--share", String(count / Math.max(1, total)));
        cell.setAttribute("aria-label", `${t("actual")} ${className(a)}, ${t("predicted")} ${className(p)}: ${count}`);
        cell.setAttribute("aria-pressed", String(open?.[0] === a && open[1] === p));
      }
    }
  });
  function choose(cell: [number, number]): void {
    chosen = true;
    show(cell);
  }
  function show(cell: [number, number]): void {
    open = cell;
    draw();
    if (!last) return;
    const [actual, predicted] = cell;
    delete heading.dataset.word;
    heading.textContent = `${t("actual")} ${className(actual)}, ${t("predicted")} ${className(predicted)}`;
    const found = [...labels.keys()].filter((i) => labels[i] === actual && last!.predicted[i] === predicted);
    gallery.replaceChildren(...(found.length === 0 ? [h("p", { class: "quiet", word: "noPictures" })] : found.slice(0, EXAMPLES).map((i) => thumbnail(pictureAt(pictures, i), `${className(actual)} ${i}`))));
  }
  onLanguage(() => {
    draw();
    if (open) show(open);
  });
  client
    .on("data", (message) => {
      ({ pictures, labels } = message);
      reset(message.classes.length);
    })
    .on("evaluation", (result) => {
      last = result;
      show(chosen ? open! : worst(result, cells.length));
    });
  reset(10);
  return panel("mistakes", "mistakes", "mistakesLead", h("div", { class: "two" }, h("div", { class: "scroll" }, table), examples));
}

/** The wrong cell with the most pictures. */
function worst({ confusion }: TestResult, classes: number): [number, number] {
  const wrong = Array.from(confusion, (n, i) => (i % (classes + 1) === 0 ? -1 : n));
  const most = wrong.indexOf(Math.max(...wrong));
  return [Math.floor(most / classes), most % classes];
}
