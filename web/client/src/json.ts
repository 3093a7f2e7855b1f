/**
 * JSON (RFC 8259) whose numbers stay text and whose members are unique.
 *
 * `JSON.parse` rounds the one and drops the other; libraries for exact numbers let a member be given twice where both
 * are equal. An object becomes a Map, so that no name has a meaning of its own (`__proto__`).
 */

/** A parsed document. */
export type Json = null | boolean | string | JsonNumber | Json[] | Map<string, Json>;

/** A number as the text spells it. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

/** Lists and objects within one another: DynamoDB JSON has two for each of DynamoDB's 32. */
const MAX_DEPTH = 80;
const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/**
 * Returns the document in `text`.
 *
 * @throws SyntaxError it is not JSON, a member is given twice, or it is nested too deeply. The text is not quoted.
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  const document = parser.value(0);
  parser.end();
  return document;
}

class Parser {
  #at = 0;

  constructor(readonly text: string) {}

  value(depth: number): Json {
    this.#take(SPACE);
    const first = this.text[this.#at];
    let value: Json;
    if (first === "{") value = this.#object(depth);
    else if (first === "[") value = this.#array(depth);
    else if (first === '"') value = this.#string();
    else value = this.#scalar();
    this.#take(SPACE);
    return value;
  }

  end(): void {
    if (this.#at !== this.text.length) throw new SyntaxError("not JSON");
  }

  #object(depth: number): Map<string, Json> {
    const members = new Map<string, Json>();
    this.#members(depth, "}", () => {
      const name = this.#string();
      this.#take(SPACE);
      if (!this.#skip(":") || members.has(name)) throw new SyntaxError("not JSON");
      members.set(name, this.value(depth + 1));
    });
    return members;
  }

  #array(depth: number): Json[] {
    const members: Json[] = [];
    this.#members(depth, "]", () => members.push(this.value(depth + 1)));
    return members;
  }

  #members(depth: number, end: string, member: () => void): void {
    if (depth === MAX_DEPTH) throw new SyntaxError("nested too deeply");
    this.#at += 1;
    this.#take(SPACE);
    if (this.#skip(end)) return;
    do {
      this.#take(SPACE);
      member();
    } while (this.#skip(","));
    if (!this.#skip(end)) throw new SyntaxError("not JSON");
  }

  #string(): string {
    const start = this.#at;
    if (!this.#skip('"')) throw new SyntaxError("not JSON");
    this.#take(PLAIN);
    while (!this.#skip('"')) {
      if (this.#at >= this.text.length) throw new SyntaxError("not JSON");
      this.#at += 2; // A backslash, and what it escapes.
      this.#take(PLAIN);
    }
    try {
      return JSON.parse(this.text.slice(start, this.#at)) as string;
    } catch {
      throw new SyntaxError("not JSON"); // The engine's own message quotes the text.
    }
  }

  #scalar(): Json {
    const word = this.#take(WORD);
    if (word !== "") return JSON.parse(word) as null | boolean;
    const number = this.#take(NUMBER);
    if (number === "") throw new SyntaxError("not JSON");
    return new JsonNumber(number);
  }

  #skip(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [token = ""] = pattern.exec(this.text) ?? [];
    this.#at += token.length;
    return token;
  }
}
