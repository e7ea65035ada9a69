/** Light and dark. Colours are in style.css; canvases read them from there. */
const root = document.documentElement;
const listeners: (() => void)[] = [];

export const onTheme = (listener: () => void): void => void listeners.push(listener);
export const color = (name: string): string => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

export function toggleTheme(): void {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  for (const listener of listeners) listener();
}
