/** Figure 1 of Krizhevsky 2012: training error of two networks that differ in their activation. Each learns in a worker of its own. */
import type { Settings } from "../shared/settings.ts";
import { Client } from "./client.ts";
import { Plot, Smooth, type Line } from "./curves.ts";
import { h, panel, write } from "./dom.ts";
import { number, onLanguage, percent, t } from "./language.ts";

const GOAL = 0.25, END = 2; // training error, epochs
const runners = ["relu", "tanh"] as const;
const names = { relu: "ReLU", tanh: "tanh" };
const lines: Line[] = [{ word: "goal", color: "ghost", width: 1, plain: true }, { word: "relu", color: "accent", width: 2.5 }, { word: "tanh", color: "second", width: 2.5 }];

/** @param main waits, and lends its data. @param threads of its engine, which the two share */
export function race(main: Client, settings: () => Settings, threads: () => number): HTMLElement {
  const plot = new Plot("racePlot", lines, { format: (y) => percent(y), range: [0, 1] });
  plot.set(0, [[0, END], [GOAL, GOAL]]);
  const reached = new Map<string, number>();
  const results = runners.map((name) => ({ name, value: h("dd", { id: `race-${name}` }, "–") }));
  const draw = (): void => results.forEach(({ name, value }) => (value.textContent = reached.has(name) ? `${number(reached.get(name)!, 2)} ${t("raceEpochs")}` : "–"));
  onLanguage(draw);

  let clients: Client[] = [];
  const button = h("button", { word: "raceStart", id: "race-start", onclick: () => (clients.length ? stop() : start()) });
  function stop(): void {
    for (const client of clients) client.stop();
    clients = [];
    write(button, "raceStart");
  }
  function start(): void {
    main.send({ type: "pause" });
    write(button, "raceStop");
    reached.clear();
    draw();
    let left = runners.length;
    clients = runners.map((activation, lane) => {
      plot.set(1 + lane, [[], []]);
      const smooth = new Smooth();
      const { network, training } = settings();
      const client = new Client({ network: { ...network, activation }, training }, { threads: Math.max(1, Math.floor(threads() / 2)), files: main.files })
        .on("built", () => client.send({ type: "run" }))
        .on("progress", ({ epoch, accuracy }) => {
          const error = smooth.next(1 - accuracy);
          plot.add(1 + lane, epoch, error);
          if (error < GOAL && !reached.has(activation)) {
            reached.set(activation, epoch);
            draw();
          }
          if (epoch < END) return;
          client.stop();
          if (--left === 0) stop();
        })
        .on("crashed", stop);
      client.start();
      return client;
    });
  }
  return panel(
    "race",
    "race",
    "raceLead",
    h("div", { class: "race-head" }, h("div", { class: "buttons" }, button), h("dl", { class: "figures" }, ...results.map(({ name, value }) => h("div", { class: name }, h("dt", {}, `${names[name]}: `, h("span", { word: "raceGoal" })), value)))),
    plot.element,
  );
}
