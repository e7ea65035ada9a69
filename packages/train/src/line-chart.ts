/** Curves as an SVG picture that stands alone: readable on white and on black, inside a page and as a file. */

/** Curves over common axes. Points that are not finite are left out; where no point of a curve remains, only its name is shown. */
export interface LineChart {
  readonly title: string;
  /** What the axes show. */
  readonly x: string;
  readonly y: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
  /** Ticks of y in per cent. */
  readonly percent?: boolean;
  /** y on a logarithmic scale; points at or below 0 are left out. */
  readonly log?: boolean;
}

const margin = { left: 52, top: 30, bottom: 40 };
const plot = { width: 400, height: 230 };
const colours = ["#2f6fde", "#d6455d", "#1a9a5c", "#b8860b", "#8a4fd0", "#0d98a8", "#d9692b", "#7a8794", "#c64fb0", "#5a8f29"];
/** Curves past the ten colours are dashed. */
const stroke = (k: number): string => `stroke="${colours[k % colours.length]}"${k < colours.length ? "" : ` stroke-dasharray="5 3"`}`;
const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** The chart as one `<svg>` element. */
export function lineChart({ title, x: xName, y: yName, lines, percent = false, log = false }: LineChart): string {
  const scaled = log ? Math.log10 : (v: number): number => v;
  const curves = lines.map(({ name, points }) => ({ name, points: points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(scaled(y))) }));
  const all = curves.flatMap(({ points }) => points);
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const [left, right] = all.length === 0 ? [0, 1] : [Math.min(...xs), Math.max(...xs)];
  const ticks = all.length === 0 ? [0, 1] : log ? powers(Math.min(...ys), Math.max(...ys)) : roundTicks(Math.min(...ys), Math.max(...ys));
  const [low, high] = [scaled(ticks[0]!), scaled(ticks.at(-1)!)];
  const px = (x: number): string => (margin.left + ((x - left) / (right - left || 1)) * plot.width).toFixed(1);
  const py = (y: number): string => (margin.top + (1 - (scaled(y) - low) / (high - low || 1)) * plot.height).toFixed(1);

  const names = Math.max(0, ...lines.map(({ name }) => name.length));
  const width = margin.left + plot.width + 36 + Math.ceil(7 * names);
  const height = Math.max(margin.top + plot.height + margin.bottom, margin.top + 16 * lines.length + 12);
  const bottom = margin.top + plot.height;
  const rows = ticks.map((v) => `<path d="M${margin.left} ${py(v)}h${plot.width}" stroke="#8884"/><text x="${margin.left - 6}" y="${Number(py(v)) + 4}" text-anchor="end">${tick(v, ticks, percent, log)}</text>`);
  const whole = xs.every(Number.isInteger) ? 1 : 0; // no epoch 1.5
  const columns = roundTicks(left, right, whole).filter((v) => v >= left && v <= right);
  const across = columns.map((v) => `<text x="${px(v)}" y="${bottom + 16}" text-anchor="middle">${tick(v, columns, false, false)}</text>`);
  const drawn = curves.map(({ name, points }, k) => {
    const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${px(x)} ${py(y)}`).join("");
    const dots = points.length > 40 ? "" : points.map(([x, y]) => `<circle cx="${px(x)}" cy="${py(y)}" r="1.5"/>`).join("");
    const at = { x: margin.left + plot.width + 12, y: margin.top + 8 + 16 * k };
    return `<g fill="none" stroke-width="2" stroke-linejoin="round" ${stroke(k)}><path d="${d}M${at.x} ${at.y}h14"/>${dots}</g><text x="${at.x + 20}" y="${at.y + 4}">${escape(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escape(`${title}: ${yName} over ${xName}`)}" font-family="system-ui, sans-serif" font-size="11" fill="#667382"><text x="${margin.left}" y="16" font-size="13" font-weight="600">${escape(title)}</text>${rows.join("")}${across.join("")}<text x="${margin.left + plot.width / 2}" y="${bottom + 33}" text-anchor="middle">${escape(xName)}</text><text transform="translate(12 ${margin.top + plot.height / 2}) rotate(-90)" text-anchor="middle">${escape(yName)}</text>${drawn.join("")}</svg>`;
}

/** Three to seven round numbers from below `low` to above `high`: steps are 1, 2 or 5 times a power of ten, at least `least`. */
function roundTicks(low: number, high: number, least = 0): number[] {
  const rough = Math.max(least, (high - low || Math.abs(high) || 1) / 4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough)!;
  const first = Math.floor(low / step);
  return Array.from({ length: Math.max(1, Math.ceil(high / step) - first) + 1 }, (_, i) => (first + i) * step);
}

/** Powers of ten from below `low` to above `high`, at most about eight of them. */
function powers(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.max(first + 1, Math.ceil(Math.log10(high)));
  const every = Math.ceil((last - first) / 8);
  return Array.from({ length: Math.ceil((last - first) / every) + 1 }, (_, i) => 10 ** (first + i * every));
}

function tick(v: number, ticks: readonly number[], percent: boolean, log: boolean): string {
  if (log) return v >= 1e-3 && v < 1e4 ? String(Number(v.toPrecision(1))) : v.toExponential(0).replace("e+", "e");
  const digits = (unit: number): number => Math.max(0, -Math.floor(Math.log10(unit || 1) + 1e-9));
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0));
  return percent ? `${(100 * v).toFixed(digits(100 * step))} %` : v.toFixed(digits(step));
}
