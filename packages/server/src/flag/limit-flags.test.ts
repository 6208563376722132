// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { listenDefaults } from "../limit/listen-limits.js";
import { addLimitFlags, limitFlags, limitVariable, parseLimitFlags } from "./limit-flags.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

function parse(...flags: string[]): object {
  const command = addLimitFlags(new Command("serve"))
    .exitOverride()
    .configureOutput({ writeErr() {} });
  command.parse(flags, { from: "user" });
  return parseLimitFlags(command);
}

test("limits that are not given are left to the server", () => {
  expect(parse()).toEqual({});
});

describe.each(Object.entries(limitFlags))("the limit %s", (name, limit) => {
  const { flag, least, most } = limit;

  test("is a flag and a variable", () => {
    expect(parse(`--${flag}`, String(least))).toEqual({ [name]: least });
    vi.stubEnv(limitVariable(limit), String(most));
    expect(parse()).toEqual({ [name]: most });
  });

  test("has a range, in which its default is", () => {
    const value = Object.entries(listenDefaults).find(([key]) => key === name)?.[1] ?? 0;
    expect(value).toBeGreaterThanOrEqual(least);
    expect(value).toBeLessThanOrEqual(most);
    for (const wrong of [String(least - 1), String(most + 1), "1.5", "x", ""]) {
      expect(() => parse(`--${flag}=${wrong}`), wrong).toThrow(CommanderError);
    }
  });

  test("stands in the documents with its default", () => {
    const file = join(import.meta.dirname, "../../../../docs/security.md");
    const value = Object.entries(listenDefaults).find(([key]) => key === name)?.[1] ?? 0;
    const row = `| \`--${flag} N\` | \`${limitVariable(limit)}\` | ${limit.text} | ${value.toLocaleString("en")} |`;
    expect(readFileSync(file, "utf8")).toContain(row);
  });
});
