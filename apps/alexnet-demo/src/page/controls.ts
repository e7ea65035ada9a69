/** The bar that stays at the top, and the settings. */
import type { Settings } from "../shared/settings.ts";
import { activations, batches, kernels, optimizers, usualRate, widths } from "../shared/settings.ts";
import type { Client } from "./client.ts";
import { h, write } from "./dom.ts";
import { number, onLanguage, percent, t, type Word } from "./language.ts";

/** Train, step, start over; how it goes. */
export function bar(client: Client, settings: () => Settings): HTMLElement {
  let running = false;
  const train = h("button", { class: "primary", id: "train", word: "train", disabled: true, onclick: () => client.send({ type: running ? "pause" : "run" }) });
  const step = h("button", { id: "step", word: "step", disabled: true, onclick: () => client.send({ type: "step" }) });
  const reset = h("button", { id: "reset", word: "reset", disabled: true, onclick: () => client.send({ type: "build", settings: settings() }) });
  const state = h("span", { id: "state", role: "status", word: "loading" });
  const engine = h("span", { class: "quiet", id: "engine" });
  const figures = { accuracy: figure("accuracy", "accuracy", true), loss: figure("loss", "loss"), epoch: figure("epoch", "epoch"), rate: figure("rate", "rate") };
  const clear = (): void => Object.values(figures).forEach(({ value }) => (value.textContent = "–"));
  const show = (now: boolean): void => {
    running = now;
    write(train, now ? "pause" : "train");
    write(state, now ? "running" : "paused");
  };
  let threads = 0, isa = "";
  const describe = (): void => void (engine.textContent = threads ? `${threads} ${t(threads === 1 ? "thread" : "threads")} · ${isa}` : "");
  onLanguage(describe);

  client
    .on("opened", ({ engine }) => {
      ({ threads, isa } = engine);
      describe();
    })
    .on("built", () => {
      for (const button of [train, step, reset]) button.disabled = false;
      show(false);
      write(state, "ready");
      clear();
    })
    .on("running", () => show(true))
    .on("paused", () => show(false))
    .on("crashed", () => {
      for (const button of [train, step, reset]) button.disabled = true;
      show(false);
      write(state, "loading");
    })
    .on("progress", ({ epoch, rate }) => {
      figures.epoch.value.textContent = number(epoch, 1);
      figures.rate.value.textContent = number(rate);
    })
    .on("evaluation", ({ accuracy, loss }) => {
      figures.accuracy.value.textContent = percent(accuracy, 1);
      figures.loss.value.textContent = number(loss, 3);
    });
  clear();
  return h(
    "div",
    { class: "bar" },
    h("div", { class: "buttons" }, train, step, reset),
    h("dl", { class: "figures" }, ...Object.values(figures).map((f) => f.element)),
    h("div", { class: "status" }, state, engine),
  );
}

function figure(id: string, word: Word, main = false): { element: HTMLElement; value: HTMLElement } {
  const value = h("dd", { id });
  return { value, element: h("div", { class: main ? "main" : "" }, h("dt", { word }), value) };
}

/** What can be chosen. Network: begins anew. Learning: at once. */
export function settingsPanel(client: Client, initial: Settings, data: HTMLElement): { element: HTMLElement; settings: () => Settings } {
  let current = initial;
  const parameters = h("p", { class: "quiet", id: "parameters" });
  let count = 0;
  const describe = (): void => void (parameters.textContent = count ? `${number(count)} ${t("parameters")}` : "");
  onLanguage(describe);

  const build = (change: Partial<Settings["network"]>): void => {
    current = { ...current, network: { ...current.network, ...change } };
    client.send({ type: "build", settings: current });
  };
  const tune = (change: Partial<Settings["training"]>): void => {
    current = { ...current, training: { ...current.training, ...change } };
    show();
    client.send({ type: "tune", training: current.training });
  };
  const width = select("width", widths, (v) => build({ width: v }));
  const kernel = select("kernel", kernels, (v) => build({ kernel: v }), (k) => `${k} × ${k}`);
  const activation = select("activation", activations, (v) => build({ activation: v }), (name) => actNames[name]);
  const lrn = toggle("lrn", (on) => build({ lrn: on }));
  const overlapping = toggle("overlapping", (on) => build({ overlapping: on }));
  const dropout = toggle("dropout", (on) => build({ dropout: on }));
  const optimizer = select("optimizer", optimizers, (v) => tune({ optimizer: v, lr: usualRate[v] }), (name) => optimizerNames[name]);
  const batch = select("batch", batches, (v) => tune({ batch: v }));
  const augment = toggle("augment", (on) => tune({ augment: on }));
  const rateText = h("output", { for: "lr" });
  const lr = h("input", { type: "range", id: "lr", min: "-5", max: "0", step: "0.1", oninput: () => (rateText.textContent = rateOf(lr).toPrecision(2)), onchange: () => tune({ lr: rateOf(lr) }) });

  function show(): void {
    const { network, training } = current;
    width.input.value = String(network.width);
    kernel.input.value = String(network.kernel);
    activation.input.value = network.activation;
    for (const [box, on] of [[lrn, network.lrn], [overlapping, network.overlapping], [dropout, network.dropout], [augment, training.augment]] as const) box.input.checked = on;
    optimizer.input.value = training.optimizer;
    batch.input.value = String(training.batch);
    lr.value = String(Math.log10(training.lr));
    rateText.textContent = String(Number(training.lr.toPrecision(2)));
    lr.setAttribute("aria-valuetext", rateText.textContent);
  }
  show();
  client.on("built", ({ settings, parameters: n }) => {
    current = settings;
    count = n;
    show();
    describe();
  });
  const element = h(
    "aside",
    { class: "panel settings", label: "settings" },
    h("fieldset", {}, h("legend", { word: "network" }), width.element, kernel.element, activation.element, lrn.element, overlapping.element, dropout.element, parameters, h("p", { class: "note", word: "restartNote" })),
    h("fieldset", {}, h("legend", { word: "learning" }), optimizer.element, h("div", { class: "field range" }, h("label", { for: "lr", word: "lr" }), rateText, lr), batch.element, augment.element, h("p", { class: "note", word: "liveNote" })),
    data,
  );
  return { element, settings: () => current };
}

const rateOf = (slider: HTMLInputElement): number => Number((10 ** Number(slider.value)).toPrecision(2));
const actNames: Record<(typeof activations)[number], string> = { relu: "ReLU", tanh: "tanh", sigmoid: "Sigmoid", leakyRelu: "Leaky ReLU", elu: "ELU", gelu: "GELU" };
const optimizerNames: Record<(typeof optimizers)[number], string> = { adamw: "AdamW", sgd: "SGD + momentum", nesterov: "Nesterov", rmsprop: "RMSprop", adagrad: "Adagrad", lion: "Lion" };

function select<T extends string | number>(word: Word, values: readonly T[], changed: (value: T) => void, name: (value: T) => string = String): { element: HTMLElement; input: HTMLSelectElement } {
  const input = h("select", { id: word, onchange: () => changed(values[input.selectedIndex]!) }, ...values.map((v) => h("option", { value: String(v) }, name(v))));
  return { input, element: h("div", { class: "field" }, h("label", { for: word, word }), input) };
}

function toggle(word: Word, changed: (on: boolean) => void): { element: HTMLElement; input: HTMLInputElement } {
  const input = h("input", { type: "checkbox", role: "switch", id: word, onchange: () => changed(input.checked) });
  return { input, element: h("div", { class: "field" }, h("label", { for: word, word }), input) };
}
