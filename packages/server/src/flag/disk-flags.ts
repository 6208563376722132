// SPDX-License-Identifier: Apache-2.0

import { type Command, InvalidArgumentError, Option } from "commander";
import type { DiskOptions } from "../options.js";

/** Adds the flags of how the disk is distrusted. Each is also an environment variable; the flag wins. */
export function addDiskFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--on-damage <what>",
        "what is done when parts of the data cannot be read: salvage the rest, or refuse; default: salvage",
      )
        .env("PAWL_ON_DAMAGE")
        .choices(["salvage", "refuse"]),
    )
    .addOption(
      new Option(
        "--scrub <MiB>",
        "MiB of data read each second to find what the disk has changed; 0: none; default: 4",
      )
        .env("PAWL_SCRUB")
        .argParser(parseRate),
    );
}

/** Reads these flags of a command that was parsed. */
export function parseDiskFlags(command: Command): DiskOptions {
  const { onDamage, scrub } = command.opts<{ scrub?: number } & Pick<DiskOptions, "onDamage">>();
  return {
    ...(onDamage === undefined ? {} : { onDamage }),
    ...(scrub === undefined ? {} : { scrubBytesPerSecond: scrub }),
  };
}

/** Bytes of so many MiB. */
function parseRate(text: string): number {
  const rate = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && rate <= maxRate) return rate * 1024 * 1024;
  throw new InvalidArgumentError(`It must be a number from 0 to ${maxRate}.`);
}

const maxRate = 10_000;
