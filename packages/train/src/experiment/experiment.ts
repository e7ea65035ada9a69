/** An experiment compares: many short runs, and a page with a table and plots that says what came out, beside what was published. */
import { ArgumentError } from "@nn/tensor";
import type { LineChart } from "../line-chart.ts";

/** What an experiment can be told; each setting has the type of its default. */
export type ExperimentSettings = Readonly<Record<string, number | string>>;

/** What a trial finds out. It is stored as JSON, so a number that is not finite comes back as null. */
export type Outcome = Readonly<Record<string, unknown>>;

/** A part of the page: markdown, or a plot, which becomes a file of its own named after `file`. */
export type Block = string | (LineChart & { readonly file: string });

/** An outcome and how long it took to find. */
export type Timed<R extends Outcome> = R & { readonly seconds: number };

/** What an experiment works with. */
export interface Bench<S extends ExperimentSettings> {
  readonly settings: S;
  /** Folder of the data set, as given; null where none was. */
  readonly data: string | null;
  /** Folder for the checkpoints of trials that were cut short; null: such a trial begins anew. */
  readonly unfinished: string | null;
  /** The outcome of `work`: computed now, or taken from an earlier sitting. A key stands for one computation and must say all that it depends on beside the settings. */
  trial<R extends Outcome>(key: string, work: () => R | Promise<R>): Promise<Timed<R>>;
}

export interface Experiment<S extends ExperimentSettings = ExperimentSettings> {
  readonly name: string;
  readonly title: string;
  /** One sentence for lists and the head of the page. */
  readonly description: string;
  readonly settings: S;
  /** Does the trials and describes them. */
  run(bench: Bench<S>): Promise<Block[]>;
}

/** Types an experiment. */
export const defineExperiment = <S extends ExperimentSettings>(experiment: Experiment<S>): Experiment => experiment as unknown as Experiment;

/** Where outcomes are kept between sittings. */
export interface TrialStore {
  get(key: string): Timed<Outcome> | undefined;
  set(key: string, outcome: Timed<Outcome>): void;
}

export interface RunExperimentOptions {
  readonly settings?: ExperimentSettings;
  readonly data?: string | null;
  readonly unfinished?: string | null;
  /** Default: none; every trial is run. */
  readonly store?: TrialStore;
  /** Called after each trial; `stored` if it came from an earlier sitting. */
  readonly onTrial?: (key: string, outcome: Timed<Outcome>, stored: boolean) => void;
}

export interface ExperimentResult {
  readonly blocks: Block[];
  /** Time of all trials, earlier sittings included. */
  readonly seconds: number;
}

/**
 * Runs what is not in the store yet and makes the page of it.
 *
 * @throws ArgumentError if two trials have one key, or if a setting is unknown.
 */
export async function runExperiment(experiment: Experiment, { settings = {}, data = null, unfinished = null, store, onTrial }: RunExperimentOptions = {}): Promise<ExperimentResult> {
  for (const name of Object.keys(settings)) if (!Object.hasOwn(experiment.settings, name)) throw new ArgumentError(experiment.name, `unknown setting '${name}'`, { hint: `known: ${Object.keys(experiment.settings).join(", ")}` });
  const seen = new Set<string>();
  let seconds = 0;
  const trial = async <R extends Outcome>(key: string, work: () => R | Promise<R>): Promise<Timed<R>> => {
    if (seen.has(key)) throw new ArgumentError(experiment.name, `two trials are called '${key}'`);
    seen.add(key);
    const known = store?.get(key);
    let outcome = known;
    if (!outcome) {
      const start = performance.now();
      const found = JSON.parse(JSON.stringify(await work())) as R;
      outcome = { ...found, seconds: (performance.now() - start) / 1000 };
      store?.set(key, outcome);
    }
    seconds += outcome.seconds;
    onTrial?.(key, outcome, known !== undefined);
    return outcome as Timed<R>;
  };
  const blocks = await experiment.run({ settings: { ...experiment.settings, ...settings }, data, unfinished, trial });
  return { blocks, seconds };
}
