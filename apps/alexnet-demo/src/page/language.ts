/** English and Chinese. */
import { en, type Word } from "./words.en.ts";
import { zh } from "./words.zh.ts";

export type { Word };

export type Language = "en" | "zh";

const tables: Record<Language, Record<Word, string>> = { en, zh };
const names: Record<Language, readonly string[]> = {
  en: ["T-shirt", "Trousers", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"],
  zh: ["T恤", "裤子", "套衫", "连衣裙", "外套", "凉鞋", "衬衫", "运动鞋", "包", "短靴"],
};

let current: Language = localStorage.getItem("language") === "zh" || (localStorage.getItem("language") === null && navigator.language.startsWith("zh")) ? "zh" : "en";
const listeners: (() => void)[] = [];

export const language = (): Language => current;
export const t = (word: Word): string => tables[current][word];
/** Names of the classes of a folder; the bundled ones are translated. */
let own: readonly string[] | null = null;
export const setClassNames = (classes: readonly string[] | null): void => void (own = classes);
export const className = (k: number): string => (own ?? names[current])[k] ?? String(k);

export function setLanguage(next: Language): void {
  current = next;
  localStorage.setItem("language", next);
  document.documentElement.lang = next === "zh" ? "zh-Hans" : "en";
  document.title = t("title");
  for (const listener of listeners) listener();
}

/** For what is drawn or computed; words set by `h` follow by themselves. */
export const onLanguage = (listener: () => void): void => void listeners.push(listener);

export const number = (x: number, digits = 0): string => x.toLocaleString(current, { minimumFractionDigits: digits, maximumFractionDigits: digits });
export const percent = (share: number, digits = 0): string => `${number(100 * share, digits)} %`;
