/** Strict JSON for file headers that may be hostile: objects become Maps, a key given twice is an error, nesting is bounded. */

export type Json = string | number | boolean | null | Json[] | Map<string, Json>;

/** Where the text stops being JSON; `at` counts characters. */
export class JsonError extends Error {
  readonly at: number;
  constructor(at: number, reason: string) {
    super(reason);
    this.at = at;
  }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y; // the part of a string up to its end or an escape
const LONE_SURROGATE = /\p{Surrogate}/u; // not a character: it would not survive being written as UTF-8

/**
 * Parses a whole text. Linear time; `__proto__` is a key like any other.
 *
 * @throws JsonError
 */
export function parseJson(text: string, maxDepth = 8): Json {
  let at = 0;

  const fail = (reason: string, where = at): never => {
    throw new JsonError(where, reason);
  };
  /** Moves over what `pattern` matches here and returns it. */
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return "";
    at += found[0].length;
    return found[0];
  };
  const take = (char: string): boolean => {
    if (text[at] !== char) return false;
    at++;
    match(SPACE);
    return true;
  };

  function string(): string {
    const start = at++;
    for (;;) {
      match(PLAIN);
      if (text[at] === '"') break;
      if (text[at] !== "\\") fail(at < text.length ? "control character in a string" : "string without an end");
      at += 2;
    }
    const raw = text.slice(start, ++at);
    let value = "";
    try {
      value = JSON.parse(raw) as string; // resolves the escapes
    } catch {
      fail("bad escape in a string", start);
    }
    if (LONE_SURROGATE.test(value)) fail("half of a surrogate pair in a string", start);
    match(SPACE);
    return value;
  }

  function value(depth: number): Json {
    if (text[at] === '"') return string();
    if (depth > maxDepth && (text[at] === "{" || text[at] === "[")) fail(`nested deeper than ${maxDepth} levels`);
    if (take("{")) return object(depth);
    if (take("[")) {
      const items: Json[] = [];
      if (take("]")) return items;
      do items.push(value(depth + 1));
      while (take(","));
      return take("]") ? items : fail("expected ',' or ']'");
    }
    const number = match(NUMBER);
    if (number !== "") {
      match(SPACE);
      return Number(number);
    }
    for (const [word, meaning] of [["true", true], ["false", false], ["null", null]] as const) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      match(SPACE);
      return meaning;
    }
    return fail(at < text.length ? `unexpected character ${JSON.stringify(text[at])}` : "text ends too early");
  }

  function object(depth: number): Map<string, Json> {
    const entries = new Map<string, Json>();
    if (take("}")) return entries;
    do {
      const keyAt = at;
      if (text[at] !== '"') fail("expected a key in double quotes");
      const key = string();
      if (entries.has(key)) fail(`key ${JSON.stringify(key)} appears twice`, keyAt);
      if (!take(":")) fail("expected ':'");
      entries.set(key, value(depth + 1));
    } while (take(","));
    return take("}") ? entries : fail("expected ',' or '}'");
  }

  match(SPACE);
  const result = value(1);
  if (at < text.length) fail("text after the end of the JSON value");
  return result;
}
