// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import type { DiskOptions } from "../options.js";
import { addDiskFlags, parseDiskFlags } from "./disk-flags.js";

function parse(...flags: string[]): DiskOptions {
  const command = addDiskFlags(new Command("serve")).exitOverride();
  command.configureOutput({ writeErr() {} });
  command.parse(flags, { from: "user" });
  return parseDiskFlags(command);
}

describe("the flags of the disk", () => {
  test("say nothing by default", () => {
    expect(parse()).toEqual({});
  });

  test("say what is done when data is damaged", () => {
    expect(parse("--on-damage", "refuse")).toEqual({ onDamage: "refuse" });
    expect(() => parse("--on-damage", "repair")).toThrow(CommanderError);
  });

  test("say how fast tables are read in the background", () => {
    expect(parse("--scrub", "0.5")).toEqual({ scrubBytesPerSecond: 524_288 });
    expect(parse("--scrub", "0")).toEqual({ scrubBytesPerSecond: 0 });
    for (const rate of ["", "-1", "fast", "1e9", "10001"]) {
      expect(() => parse("--scrub", rate)).toThrow(CommanderError);
    }
  });
});
