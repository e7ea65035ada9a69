/** The filters of the first convolution as they form. */
import type { Client } from "./client.ts";
import { h, panel } from "./dom.ts";
import { drawTiles, filterTile } from "./pictures.ts";

const WIDE = 16, NARROW = 8, PHONE = 500; // columns, px

export function filters(client: Client): HTMLElement {
  const canvas = h("canvas", { class: "tiles", id: "filter-tiles", role: "img", label: "filters" });
  client.on("view", ({ filters: { count, side, values } }) => drawTiles(canvas, count, side, Math.min(count, canvas.clientWidth < PHONE ? NARROW : WIDE), filterTile(values, side)));
  return panel("filters", "filters", "filtersLead", canvas);
}
