import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CsvError, readCsv, type CsvOptions, type CsvSource } from "../src/index.ts";

async function rows(source: CsvSource, options: CsvOptions = {}): Promise<unknown[]> {
  const all = [];
  for await (const row of readCsv(source, options as { header?: false })) all.push(row);
  return all;
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("readCsv", () => {
  test.each<[string, string, string[][]]>([
    ["plain fields", "a,b\n1,2\n", [["a", "b"], ["1", "2"]]],
    ["every line break, none at the end", "a,b\r\n1,2\n3,4\r5,6", [["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]]],
    ["quotes, delimiters and line breaks in quotes", '"a ""b""","c,d"\r\n"e\r\nf\ng\rh",""\r\n', [['a "b"', "c,d"], ["e\r\nf\ng\rh", ""]]],
    ["empty fields", ",\n,x\n", [["", ""], ["", "x"]]],
    ["lines with nothing on them", "\n\na\r\n\r\nb\r\r", [["a"], ["b"]]],
    ["an empty value alone on its line", '""\nx\n', [[""], ["x"]]],
    ["blanks", " 47, 100 \n", [[" 47", " 100 "]]],
    ["nothing", "", []],
    ["a byte order mark", "\uFEFFa\n", [["a"]]],
  ])("%s", async (_, text, expected) => {
    expect(await rows(text)).toEqual(expected);
    expect(await rows(bytes(text))).toEqual(expected);
    expect(await rows([...text]), "character by character").toEqual(expected);
    expect(await rows(Array.from(bytes(text), (b) => Uint8Array.of(b))), "byte by byte").toEqual(expected);
  });

  test("records by the names of the first row", async () => {
    expect(await rows("x,__proto__\n1,2\n3,4\n", { header: true })).toEqual([JSON.parse('{"x":"1","__proto__":"2"}'), JSON.parse('{"x":"3","__proto__":"4"}')]);
    expect(await rows("x,y\n", { header: true })).toEqual([]);
  });

  test("other delimiters and encodings, streams", async () => {
    expect(await rows("a\tb,c\n", { delimiter: "\t" })).toEqual([["a", "b,c"]]);
    expect(await rows(Uint8Array.of(0x63, 0x61, 0x66, 0xe9), { encoding: "latin1" })).toEqual([["café"]]);
    expect(await rows(new Response("a,é\nb,漢\n").body!)).toEqual([["a", "é"], ["b", "漢"]]);
  });

  test("a stream is cancelled when the loop is left", async () => {
    let cancelled = false;
    const endless = new ReadableStream<string>({ pull: (c) => c.enqueue("1,2\n"), cancel: () => void (cancelled = true) });
    for await (const row of readCsv(endless)) {
      expect(row).toEqual(["1", "2"]);
      break;
    }
    expect(cancelled).toBe(true);
  });

  test.each<[string, CsvSource, CsvOptions, string]>([
    ["a quote that stays open", 'a\n"b\nc', {}, "csv, line 2: a quote is opened and not closed"],
    ["text behind a quote", 'a\n\n"b"c\n', {}, `csv, line 3: "c" after the closing quote of field 1\n  hint: a quote inside quotes is written ""`],
    ["a quote in a bare field", 'x,a"b"\n', { name: "my.csv" }, `my.csv, line 1: a quote inside field 2, which does not begin with one\n  hint: such a field is quoted as a whole, and its quotes are doubled: "say ""hello"""`],
    ["too few fields", '1,2\n"3\n",4\n5\n', {}, "csv, line 4: 1 field, but 2 in the first row"],
    ["too many fields", "1,2\n3,4,5", {}, "csv, line 2: 3 fields, but 2 in the first row"],
    ["two columns of one name", "a,b,a\n1,2,3", { header: true }, "csv, line 1: two columns are called 'a'"],
    ["a row without end", ["a\n", '"', "x".repeat(50), "y".repeat(60)], { maxRow: 100 }, "csv, line 2: the row is longer than 100 characters\n  hint: is a quote not closed? else give a larger maxRow"],
    ["bytes of another encoding", [bytes("a\n"), Uint8Array.of(0x63, 0xe9, 0x0a)], {}, 'csv, line 2: not utf-8 here or soon after\n  hint: pass the encoding, such as { encoding: "latin1" }'],
  ])("refuses %s", async (_, source, options, message) => {
    const error: unknown = await rows(source, options).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CsvError);
    expect(error).toMatchObject({ message, line: Number(/line (\d+)/.exec(message)![1]) });
  });

  test.each(["", ",,", '"', "\n"])("refuses the delimiter %j", async (delimiter) => {
    await expect(rows("a", { delimiter })).rejects.toThrow("is not one character other than quote and line break");
  });
});

describe("for any text", () => {
  const field = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: fc.constantFrom("a", ",", '"', "\r", "\n", " ") }));
  const table = fc.integer({ min: 1, max: 4 }).chain((columns) => fc.array(fc.array(field, { minLength: columns, maxLength: columns })));
  const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;
  const cut = (text: string, places: readonly number[]): string[] => {
    const at = [0, ...places.map((p) => p % (text.length + 1)).sort((a, b) => a - b), text.length];
    return at.slice(1).map((end, i) => text.slice(at[i], end));
  };

  test("what was written is read back, wherever the text is cut", () =>
    fc.assert(
      fc.asyncProperty(table, fc.constantFrom("\n", "\r\n", "\r"), fc.boolean(), fc.array(fc.nat()), async (values, eol, always, places) => {
        const write = (value: string): string => (always || value === "" || /[",\r\n\uFEFF]/.test(value) ? quoted(value) : value);
        const text = values.map((row) => row.map(write).join(",") + eol).join("");
        expect(await rows(cut(text, places))).toEqual(values);
      }),
    ));

  test("rows or a CsvError, the same for every way of cutting", () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom("a", ",", '"', "\r", "\n") }), fc.array(fc.nat()), async (text, places) => {
        const outcome = (source: CsvSource): Promise<unknown> => rows(source).catch((error: unknown) => (expect(error).toBeInstanceOf(CsvError), (error as Error).message));
        expect(await outcome(cut(text, places))).toEqual(await outcome(text));
      }),
      { numRuns: 500 },
    ));
});
