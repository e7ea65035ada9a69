/** Layer by layer: gradient norm, units that no longer answer, time. Looked at while it is on screen. */
import type { Health } from "../shared/protocol.ts";
import type { Client } from "./client.ts";
import { atNextFrame, h, panel } from "./dom.ts";
import { number, onLanguage, percent, t, type Word } from "./language.ts";

const EVERY = 4000;

export function health(client: Client): HTMLElement {
  let last: Health | null = null;
  let visible = false, ready = false, running = false, waiting = false;
  const ask = (): void => {
    if (!visible || !ready || waiting) return;
    waiting = true;
    client.send({ type: "examine" });
  };
  const verdict = h("p", { class: "verdict", id: "verdict", role: "status" });
  const body = h("tbody");
  const findings = h("ul", { class: "findings" });
  const draw = atNextFrame(() => {
    if (!last) return;
    verdict.textContent = t(last.verdict);
    verdict.dataset.verdict = last.verdict;
    body.replaceChildren(...rows(last));
    findings.replaceChildren(...last.findings.slice(0, 3).map(({ text, cures }) => h("li", {}, text, h("span", { class: "quiet" }, ` → ${cures.slice(0, 2).join("; ")}`))));
  });
  onLanguage(draw);
  client
    .on("built", () => {
      ready = true;
      waiting = false;
      ask();
    })
    .on("crashed", () => (ready = waiting = false))
    .on("running", () => (running = true))
    .on("paused", () => {
      running = false;
      ask();
    })
    .on("health", (message) => {
      waiting = false;
      last = message;
      draw();
    });
  setInterval(() => running && ask(), EVERY);
  const element = panel(
    "health",
    "health",
    "healthLead",
    verdict,
    h("div", { class: "scroll" }, h("table", { class: "layers" }, h("thead", {}, h("tr", {}, h("th", { word: "layer", scope: "col" }), h("th", { word: "gradient", scope: "col" }), h("th", { word: "asleep", scope: "col" }), h("th", { word: "time", scope: "col" }))), body)),
    h("p", { class: "note key" }, h("span", { class: "swatch accent" }), h("span", { word: "forward" }), h("span", { class: "swatch soft" }), h("span", { word: "backward" })),
    findings,
  );
  new IntersectionObserver(([entry]) => {
    visible = entry!.isIntersecting;
    ask();
  }).observe(element);
  return element;
}

/** A layer with weights and what follows it up to the next one: activation, normalisation, pooling, dropout. */
interface Block {
  name: string;
  gradNorm: number;
  asleep: number | null;
  forward: number;
  backward: number;
}

function blocksOf({ layers, times }: Health): Block[] {
  const blocks: Block[] = [];
  const counts = new Map<Word, number>();
  for (const { path, kind, forward, backward } of times) {
    const layer = layers.find((l) => l.path === path);
    const word: Word | null = kind === "Conv2d" ? "conv" : kind === "Linear" ? "dense" : null;
    if (word !== null) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      blocks.push({ name: `${t(word)} ${counts.get(word)}`, gradNorm: layer?.gradNorm ?? 0, asleep: null, forward: 0, backward: 0 });
    }
    const block = blocks.at(-1)!;
    block.forward += forward;
    block.backward += backward;
    block.asleep = layer?.dead ?? layer?.saturated ?? block.asleep;
  }
  return blocks;
}

/** One row for every layer with weights, in order. */
function rows(health: Health): HTMLElement[] {
  const blocks = blocksOf(health);
  const norms = blocks.map((b) => Math.log10(Math.max(b.gradNorm, 1e-12)));
  const low = Math.min(...norms, -3) - 0.5, high = Math.max(...norms, 0);
  const most = Math.max(...blocks.map((b) => b.forward + b.backward), 1e-9);
  return blocks.map(({ name, gradNorm, asleep, forward, backward }, i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", {}, bar([["accent", (norms[i]! - low) / (high - low)]], norm(gradNorm))),
      h("td", { class: asleep !== null && asleep > 0.5 ? "alarm" : "" }, asleep === null ? "" : percent(asleep)),
      h("td", {}, bar([["accent", forward / most], ["soft", backward / most]], `${number(forward + backward, 2)} ms`)),
    ),
  );
}

const norm = (x: number): string => (x >= 0.001 && x < 1000 ? number(x, x < 0.1 ? 4 : 2) : x.toExponential(1));

function bar(parts: [kind: string, share: number][], text: string): HTMLElement {
  return h("div", { class: "meter" }, h("span", { class: "track" }, ...parts.map(([kind, share]) => h("span", { class: `part ${kind}`, style: `width:${100 * Math.max(0, Math.min(1, share))}%` }))), h("span", { class: "value" }, text));
}
