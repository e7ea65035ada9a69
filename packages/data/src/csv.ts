/** Comma-separated values (RFC 4180), read as they come in. */
import { ArgumentError, NnError } from "@nn/tensor";

/** A text that is not CSV. */
export class CsvError extends NnError {
  /** Where the row begins, from 1; line breaks inside quotes count too. */
  readonly line: number;
  constructor(name: string, line: number, reason: string, options: { hint?: string; cause?: unknown } = {}) {
    super(`${name}, line ${line}: ${reason}`, options);
    this.line = line;
  }
}

export interface CsvOptions {
  /** The first row names the columns, and rows become records by these names. Default false. */
  readonly header?: boolean;
  /** One character; "\t" for TSV. Default ",". */
  readonly delimiter?: string;
  /** Of bytes. Default "utf-8". */
  readonly encoding?: string;
  /** Characters of the longest row, which ends what a quote that is never closed would swallow. Default 2²⁴. */
  readonly maxRow?: number;
  /** For messages. Default "csv". */
  readonly name?: string;
}

type Chunk = string | Uint8Array;
/** A whole text, or its parts in order: an array, a Node stream, the body of a response. */
export type CsvSource = Chunk | Iterable<Chunk> | AsyncIterable<Chunk> | ReadableStream<Chunk>;
/** A row by column names. */
export type CsvRecord = Record<string, string>;

/**
 * The rows of a CSV text. Lines end in LF, CR LF or CR, the last one perhaps in nothing; a line with nothing on it is no row; blanks are
 * kept. Memory holds one part of the text, however many there are.
 *
 *     for await (const { price } of readCsv(createReadStream("houses.csv"), { header: true })) …
 *
 * @throws CsvError if a quote is out of place or not closed, if a row has more or fewer fields than the first, if two columns have one
 * name, if a row is too long, or if bytes are not of the encoding.
 */
export function readCsv(source: CsvSource, options: CsvOptions & { readonly header: true }): AsyncGenerator<CsvRecord, void>;
export function readCsv(source: CsvSource, options?: CsvOptions & { readonly header?: false }): AsyncGenerator<string[], void>;
export async function* readCsv(source: CsvSource, { header = false, delimiter = ",", encoding = "utf-8", maxRow = 2 ** 24, name = "csv" }: CsvOptions = {}): AsyncGenerator<string[] | CsvRecord, void> {
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter)) throw new ArgumentError("readCsv", `delimiter ${JSON.stringify(delimiter)} is not one character other than quote and line break`);
  let first: string[] | undefined;
  for await (const { text, line } of rowsOf(source, encoding, maxRow, name)) {
    const fields = fieldsOf(text, delimiter, (reason, hint) => new CsvError(name, line, reason, hint === undefined ? {} : { hint }));
    if (first && fields.length !== first.length) throw new CsvError(name, line, `${fields.length} field${fields.length === 1 ? "" : "s"}, but ${first.length} in the first row`);
    if (!header) yield fields;
    else if (first) yield Object.fromEntries(first.map((column, i) => [column, fields[i]!]));
    else refuseTwins(fields, name, line);
    first ??= fields;
  }
}

interface Row {
  readonly text: string;
  readonly line: number;
}

/** A row ends at a line break with an even number of quotes before it: that is all that has to be known of fields here. */
async function* rowsOf(source: CsvSource, encoding: string, maxRow: number, name: string): AsyncGenerator<Row, void> {
  const mark = /["\r\n]/g;
  let rest = "";
  let [line, rowLine, quoted] = [1, 1, false];
  for await (const { part, last } of textOf(source, encoding, (cause) => new CsvError(name, line, `not ${encoding} here or soon after`, { cause, hint: 'pass the encoding, such as { encoding: "latin1" }' }))) {
    mark.lastIndex = rest.endsWith("\r") ? rest.length - 1 : rest.length;
    rest += part;
    let begin = 0;
    for (let found = mark.exec(rest); found; found = mark.exec(rest)) {
      if (found[0] === '"') {
        quoted = !quoted;
        continue;
      }
      if (found[0] === "\r" && rest[found.index + 1] === "\n") continue; // the LF ends it
      if (found[0] === "\r" && mark.lastIndex === rest.length && !last) break; // is there an LF in the next part?
      line++;
      if (quoted) continue;
      const end = found[0] === "\n" && rest[found.index - 1] === "\r" ? found.index - 1 : found.index;
      if (end > begin) yield { text: rest.slice(begin, end), line: rowLine };
      begin = mark.lastIndex;
      rowLine = line;
    }
    rest = rest.slice(begin);
    if (rest.length > maxRow) throw new CsvError(name, rowLine, `the row is longer than ${maxRow} characters`, { hint: "is a quote not closed? else give a larger maxRow" });
  }
  if (rest !== "") yield { text: rest, line: rowLine };
}

/** The text in parts; the last one is marked. */
async function* textOf(source: CsvSource, encoding: string, bad: (cause: unknown) => CsvError): AsyncGenerator<{ part: string; last: boolean }, void> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw bad(cause);
    }
  };
  let begun = false;
  for await (const chunk of chunksOf(source)) {
    const part = typeof chunk === "string" ? chunk : decode(chunk);
    yield { part: !begun && part.startsWith("\uFEFF") ? part.slice(1) : part, last: false }; // a byte order mark
    begun ||= part !== "";
  }
  yield { part: decode(), last: true };
}

async function* chunksOf(source: CsvSource): AsyncGenerator<Chunk, void> {
  if (typeof source === "string" || source instanceof Uint8Array) return yield source;
  if (!("getReader" in source)) return yield* source;
  const reader = source.getReader(); // not every browser can loop over a stream
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}

/** The fields of one row, without its line break. */
function fieldsOf(row: string, delimiter: string, bad: (reason: string, hint?: string) => CsvError): string[] {
  const fields: string[] = [];
  for (let i = 0; ; i++) {
    if (row[i] === '"') {
      const { value, end } = quotedAt(row, i, bad);
      if (end < row.length && row[end] !== delimiter) throw bad(`${JSON.stringify(row[end])} after the closing quote of field ${fields.length + 1}`, 'a quote inside quotes is written ""');
      fields.push(value);
      i = end;
    } else {
      const next = row.indexOf(delimiter, i);
      const value = row.slice(i, (i = next < 0 ? row.length : next));
      if (value.includes('"')) throw bad(`a quote inside field ${fields.length + 1}, which does not begin with one`, 'such a field is quoted as a whole, and its quotes are doubled: "say ""hello"""');
      fields.push(value);
    }
    if (i === row.length) return fields;
  }
}

/** The field in quotes that begins at `start`; `end` is behind its closing quote. */
function quotedAt(row: string, start: number, bad: (reason: string) => CsvError): { value: string; end: number } {
  let value = "";
  for (let from = start + 1; ; ) {
    const quote = row.indexOf('"', from);
    if (quote < 0) throw bad("a quote is opened and not closed");
    value += row.slice(from, quote);
    if (row[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    from = quote + 2;
  }
}

/** Every column has a name of its own. */
function refuseTwins(columns: readonly string[], name: string, line: number): void {
  const twin = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twin !== undefined) throw new CsvError(name, line, `two columns are called '${twin}'`);
}
