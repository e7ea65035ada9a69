/** A picture of 28×28 that can be chosen, drawn on, or replaced by a file. */
import { readPicture } from "../shared/picture.ts";
import type { Pixels } from "../shared/protocol.ts";
import { PIXELS, SIDE } from "../shared/settings.ts";
import { h } from "./dom.ts";
import { drawPicture } from "./pictures.ts";

export interface Pad {
  element: HTMLElement;
  show(pixels: Pixels): void;
}

/** @param changed hears of every stroke; @param failed of a file that is no picture; `clothes` says what pictures look like */
export function pad(changed: (pixels: Pixels) => void, failed: () => void, clothes: () => boolean): Pad {
  let pixels: Pixels = new Uint8Array(PIXELS);
  let at: [x: number, y: number] = [SIDE / 2, SIDE / 2];
  const canvas = h("canvas", { class: "pad", id: "pad", tabindex: "0", role: "img", label: "pad" });
  const pen = h("span", { class: "pen", "aria-hidden": "true" });
  const show = (next: Pixels): void => {
    pixels = next.slice();
    drawPicture(canvas, pixels);
  };
  const paint = (x: number, y: number): void => {
    brush(pixels, x, y);
    drawPicture(canvas, pixels);
    changed(pixels.slice());
  };
  const place = (event: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    at = place(event);
    paint(...at);
  };
  canvas.onpointermove = (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const to = place(event), steps = Math.ceil(2 * Math.hypot(to[0] - at[0], to[1] - at[1]));
    for (let i = 1; i < steps; i++) brush(pixels, at[0] + ((to[0] - at[0]) * i) / steps, at[1] + ((to[1] - at[1]) * i) / steps);
    at = to;
    paint(...to);
  };
  canvas.onkeydown = (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) at = [clamp(at[0] + move[0]!), clamp(at[1] + move[1]!)];
    else paint(at[0] + 0.5, at[1] + 0.5);
    pen.style.left = `${((at[0] + 0.5) / SIDE) * 100}%`;
    pen.style.top = `${((at[1] + 0.5) / SIDE) * 100}%`;
  };
  const element = h("div", { class: "pad-frame" }, canvas, pen);
  const take = async (file: Blob | undefined): Promise<void> => {
    if (!file) return;
    try {
      show(await readPicture(file, { clothes: clothes() }));
      changed(pixels.slice());
    } catch {
      failed();
    }
  };
  const input = h("input", { type: "file", id: "picture-file", accept: "image/*", hidden: true, onchange: () => void take(input.files?.[0]).finally(() => (input.value = "")) });
  acceptDrops(element, take);
  const clear = (): void => {
    show(new Uint8Array(PIXELS));
    changed(pixels.slice());
  };
  const buttons = h("div", { class: "buttons small" }, h("button", { word: "clear", id: "clear", onclick: clear }), h("button", { word: "upload", onclick: () => input.click() }), input);
  return { element: h("div", { class: "pad-box" }, element, buttons), show };
}

const clamp = (v: number): number => Math.max(0, Math.min(SIDE - 1, Math.round(v)));

/** A soft round spot. */
function brush(pixels: Pixels, x: number, y: number): void {
  for (let py = Math.max(0, Math.floor(y - 3)); py < Math.min(SIDE, y + 3); py++) {
    for (let px = Math.max(0, Math.floor(x - 3)); px < Math.min(SIDE, x + 3); px++) {
      const light = 255 * Math.max(0, Math.min(1, 2 - Math.hypot(px + 0.5 - x, py + 0.5 - y)));
      pixels[py * SIDE + px] = Math.max(pixels[py * SIDE + px]!, light);
    }
  }
}

function acceptDrops(element: HTMLElement, take: (file: Blob | undefined) => Promise<void>): void {
  element.ondragover = (event) => {
    event.preventDefault();
    element.classList.add("over");
  };
  element.ondragleave = () => element.classList.remove("over");
  element.ondrop = (event) => {
    event.preventDefault();
    event.stopPropagation(); // elsewhere on the page a drop is a folder
    element.classList.remove("over");
    void take(event.dataTransfer?.files[0]);
  };
}
