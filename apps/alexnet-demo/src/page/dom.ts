/** Elements in one expression. Text that is a word of `words.ts` follows the language. */
import { t, type Word } from "./language.ts";

type Child = Node | string | null | false;
type Props = Record<string, unknown> & { word?: Word };

/**
 * `h("button", { class: "primary", word: "train", onclick: run })`. Properties are set where the element has them, attributes
 * otherwise; `word` sets the text, `label` (also a word) the accessible name.
 */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name === "word") write(element, value as Word);
    else if (name === "label") relabel(element, value as Word);
    else if (name === "class") element.className = String(value);
    else if (name in element) (element as unknown as Record<string, unknown>)[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** Sets the text of an element to a word, now and in whatever language comes. */
export function write(element: HTMLElement, word: Word): void {
  element.dataset.word = word;
  element.textContent = t(word);
}

function relabel(element: HTMLElement, word: Word): void {
  element.dataset.label = word;
  element.setAttribute("aria-label", t(word));
}

/** After a change of language. */
export function translate(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-word]")) element.textContent = t(element.dataset.word as Word);
  for (const element of root.querySelectorAll<HTMLElement>("[data-label]")) relabel(element, element.dataset.label as Word);
}

/** A section with a heading and a line on what it shows. */
export function panel(id: string, title: Word, lead: Word, ...children: Child[]): HTMLElement {
  return h("section", { class: "panel", id, "aria-labelledby": `${id}-title` }, h("header", {}, h("h2", { id: `${id}-title`, word: title }), h("p", { class: "lead", word: lead })), ...children);
}

/** Calls `f` at the next frame, once however often it is asked. */
export function atNextFrame(f: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      f();
    });
  };
}
