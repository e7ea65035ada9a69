/** What the visitor should know now: said aloud by screen readers, gone when dismissed or after a while. */
import { h } from "./dom.ts";
import type { Word } from "./language.ts";

export interface Notices {
  element: HTMLElement;
  /** Shows a word, and what cannot be translated behind it. `stay`: until dismissed. */
  say(word: Word, detail?: string, options?: { stay?: boolean }): void;
}

export function notices(): Notices {
  const element = h("div", { class: "notices", role: "alert", id: "notices" });
  return {
    element,
    say(word, detail, { stay = detail !== undefined } = {}) {
      const notice = h("div", { class: "notice" }, h("p", {}, h("span", { word }), detail === undefined ? null : h("span", { class: "quiet" }, ` ${detail}`)), h("button", { class: "plain", label: "dismiss", onclick: () => notice.remove() }, "×"));
      element.replaceChildren(notice);
      if (!stay) setTimeout(() => notice.remove(), 6000);
    },
  };
}
