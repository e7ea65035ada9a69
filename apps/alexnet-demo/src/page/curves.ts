/** Loss and accuracy as they come, with the network before as a grey line. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Client } from "./client.ts";
import { atNextFrame, h, panel } from "./dom.ts";
import { onLanguage, percent, number, t, type Word } from "./language.ts";
import { color, onTheme } from "./theme.ts";

export interface Line {
  word: Word;
  /** Name of a colour in style.css. */
  color: string;
  width?: number;
  /** Few points, each of them shown. */
  dots?: boolean;
  /** A line to compare with, whose last value says nothing. */
  plain?: boolean;
}

/** x and y of one line; y is smoothed as it is drawn where `smooth` is above 0. */
export type Points = [x: number[], y: number[]];

const MOST = 3000;

interface PlotOptions {
  format: (y: number) => string;
  range?: [number, number] | null;
  title?: Word | null;
}

/** A plot of a few lines over epochs that follows its element's width, the language and the theme. */
export class Plot {
  readonly element: HTMLElement;
  readonly #canvas: HTMLElement;
  readonly #legend: { item: HTMLElement; value: HTMLElement }[];
  readonly #lines: readonly Line[];
  readonly #word: Word;
  readonly #format: (y: number) => string;
  readonly #range: [number, number] | null;
  #points: Points[];
  #plot: uPlot | null = null;
  readonly draw: () => void;

  constructor(word: Word, lines: readonly Line[], { format, range = null, title = null }: PlotOptions) {
    this.#word = word;
    this.#lines = lines;
    this.#format = format;
    this.#range = range;
    this.#points = lines.map(() => [[], []]);
    this.#canvas = h("div", { class: "plot", role: "img", label: word });
    this.#legend = lines.map((line) => {
      const value = h("b");
      return { value, item: h("li", { hidden: true }, h("i", { style: `background:var(--${line.color})` }), h("span", { word: line.word }), " ", value) };
    });
    this.element = h("div", { class: "chart" }, title ? h("h3", { word: title }) : null, h("ul", { class: "legend" }, ...this.#legend.map(({ item }) => item)), this.#canvas);
    this.draw = atNextFrame(() => this.#draw());
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#canvas);
    const again = (): void => {
      this.#plot?.destroy();
      this.#plot = null;
      this.draw();
    };
    onTheme(again);
    onLanguage(again);
    this.draw();
  }

  points(line: number): Points {
    return this.#points[line]!;
  }

  add(line: number, x: number, y: number): void {
    const points = this.points(line);
    points[0].push(x);
    points[1].push(y);
    // Thinned out where there are more points than pixels.
    if (points[0].length > MOST) this.#points[line] = points.map((values) => values.filter((_, i) => i % 2 === 0)) as Points;
    this.draw();
  }

  set(line: number, points: Points): void {
    this.#points[line] = points;
    this.draw();
  }

  #size(): { width: number; height: number } {
    const width = Math.max(200, this.#canvas.clientWidth);
    return { width, height: Math.round(Math.min(264, Math.max(180, width * 0.62))) };
  }

  #draw(): void {
    if (this.#canvas.clientWidth === 0) return;
    this.#legend.forEach(({ item, value }, i) => {
      const last = this.points(i)[1].at(-1);
      item.hidden = last === undefined;
      if (last !== undefined && !this.#lines[i]!.plain) value.textContent = this.#format(last);
    });
    const data = uPlot.join(this.#points.map((p) => p as uPlot.AlignedData));
    if (this.#plot) return this.#plot.setData(data);
    const ink = color("quiet"), grid = { stroke: color("line"), width: 1 };
    const axis: uPlot.Axis = { stroke: ink, grid, ticks: { show: false }, font: "12px system-ui", gap: 6 };
    this.#plot = new uPlot(
      {
        ...this.#size(),
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false, range: (_, low, high) => [low ?? 0, Math.max(high ?? 1, 0.5)] }, y: { range: this.#range ?? ((_, low, high) => [Math.min(0, low ?? 0), (high ?? 2.4) * 1.05]) } },
        axes: [{ ...axis, size: 28, values: (_, ticks) => ticks.map((x) => number(x, x % 1 ? 1 : 0)) }, { ...axis, size: 52, values: (_, ticks) => ticks.map(this.#format) }],
        series: [
          {},
          ...this.#lines.map((line) => ({ stroke: color(line.color), width: line.width ?? 2, spanGaps: true, points: { show: line.dots ?? false, size: 5, fill: color(line.color) } })),
        ],
      },
      data,
      this.#canvas,
    );
    this.#canvas.setAttribute("aria-label", t(this.#word));
  }
}

/** Mean that forgets: enough to see a trend through the noise of batches. */
export class Smooth {
  #value: number | null = null;
  next(y: number, keep = 0.85): number {
    this.#value = this.#value === null ? y : keep * this.#value + (1 - keep) * y;
    return this.#value;
  }
}

export function curves(client: Client): HTMLElement {
  const lines: Line[] = [{ word: "before", color: "ghost" }, { word: "training", color: "second", width: 1.5 }, { word: "test", color: "accent", width: 2.5, dots: true }];
  const accuracy = new Plot("accuracyPlot", lines, { format: (y) => percent(y), range: [0, 1], title: "accuracyOf" });
  const loss = new Plot("lossPlot", lines, { format: (y) => number(y, 2), title: "loss" });
  const plots = [accuracy, loss];
  let smooth = [new Smooth(), new Smooth()];
  client
    .on("built", () => {
      smooth = [new Smooth(), new Smooth()];
      for (const plot of plots) {
        if (plot.points(2)[0].length > 1) plot.set(0, plot.points(2));
        plot.set(1, [[], []]);
        plot.set(2, [[], []]);
      }
    })
    .on("progress", (p) => {
      accuracy.add(1, p.epoch, smooth[0]!.next(p.accuracy));
      loss.add(1, p.epoch, smooth[1]!.next(p.loss));
    })
    .on("evaluation", (e) => {
      accuracy.add(2, e.epoch, e.accuracy);
      loss.add(2, e.epoch, e.loss);
    });
  return panel("curves", "curves", "curvesLead", h("div", { class: "plots" }, accuracy.element, loss.element));
}
