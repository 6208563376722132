// SPDX-License-Identifier: Apache-2.0

/** What a reviver is told of a value that is no object or array (ECMAScript, "JSON.parse source text access"). */
interface Source {
  readonly source?: string;
}

// TypeScript's library does not have it yet; Node has it since 22.
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown };

/**
 * The value of a JSON text, to be shown as JSON again: its numbers are written as they are in the text. A 64-bit id
 * would lose its last digits on the way through a JavaScript number.
 * @throws SyntaxError when the text is no JSON; RangeError when it is nested too deeply
 */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, keepNumber);
}

/**
 * The JSON text of a member of the object that a JSON text is; undefined when it has none. Numbers stay as they were
 * written.
 * @throws SyntaxError when the text is no JSON; RangeError when it is nested too deeply
 */
export function memberText(text: string, name: string): string | undefined {
  const whole = parseExactly(text);
  if (typeof whole !== "object" || whole === null) return undefined;
  const member: unknown = Object.getOwnPropertyDescriptor(whole, name)?.value;
  return member === undefined ? undefined : JSON.stringify(member);
}

function keepNumber(this: unknown, _key: string, value: unknown, context?: Source): unknown {
  return typeof value === "number" && context?.source !== undefined
    ? rawJSON(context.source)
    : value;
}
