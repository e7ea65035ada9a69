/** Puts the page together. The worker does the work: nothing here takes long. */
import "./style.css";
import { defaults } from "../shared/settings.ts";
import { Client } from "./client.ts";
import { bar, settingsPanel } from "./controls.ts";
import { curves } from "./curves.ts";
import { dataChoice } from "./data.ts";
import { h, translate } from "./dom.ts";
import { filters } from "./filters.ts";
import { health } from "./health.ts";
import { inside } from "./inside.ts";
import { keep } from "./keep.ts";
import { language, onLanguage, setClassNames, setLanguage } from "./language.ts";
import { mistakes } from "./mistakes.ts";
import { notices } from "./notices.ts";
import { race } from "./race.ts";
import { toggleTheme } from "./theme.ts";

const client = new Client(defaults);
// Before the views hear of the data, which write the names.
client.on("data", ({ bundled, classes }) => setClassNames(bundled ? null : classes));
const note = notices();
const { element: side, settings } = settingsPanel(client, defaults, dataChoice(client, note));
let threads = 1;

const title = h("h1", { word: "title" });
const single = h("p", { class: "banner", id: "single", word: "single", hidden: true });
document.body.append(
  h("a", { class: "skip", href: "#main", word: "skip" }),
  h(
    "header",
    { class: "masthead" },
    h("div", {}, title, h("p", { class: "lead", word: "lead" })),
    h("div", { class: "buttons small" }, h("button", { word: "language", id: "language", onclick: () => setLanguage(language() === "en" ? "zh" : "en") }), h("button", { label: "theme", id: "theme", onclick: toggleTheme }, "◐")),
  ),
  bar(client, settings),
  note.element,
  single,
  h(
    "main",
    { id: "main" },
    side,
    h(
      "div",
      { class: "column" },
      curves(client),
      filters(client),
      inside(client, () => note.say("notPicture")),
      mistakes(client),
      health(client),
      race(client, settings, () => threads),
      keep(client, settings, note),
    ),
  ),
  h("footer", { class: "quiet", word: "footer" }),
);
onLanguage(() => translate(document));
setLanguage(language());

client
  .on("opened", ({ engine }) => {
    threads = engine.threads;
    single.hidden = threads > 1 || crossOriginIsolated;
  })
  .on("failed", ({ kind, message }) => {
    if (kind === "diverged") note.say("diverged");
    else if (kind !== "file" && kind !== "data") note.say("broken", message);
  })
  .on("crashed", ({ message, recovered }) => (recovered ? note.say("crashed", message) : note.say("broken", message)));
// The worker starts when the page has been painted.
requestAnimationFrame(() => setTimeout(() => client.start()));
