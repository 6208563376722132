// SPDX-License-Identifier: Apache-2.0

import { type Command, Option } from "commander";
import type { DiskOptions } from "../options.js";

/** Adds the flags of how the disk is distrusted. Each is also an environment variable; the flag wins. */
export function addDiskFlags(command: Command): Command {
  return command.addOption(
    new Option(
      "--on-damage <what>",
      "what is done when parts of the data cannot be read: salvage the rest, or refuse; default: salvage",
    )
      .env("PAWL_ON_DAMAGE")
      .choices(["salvage", "refuse"]),
  );
}

/** Reads these flags of a command that was parsed. */
export function parseDiskFlags(command: Command): DiskOptions {
  const { onDamage } = command.opts<DiskOptions>();
  return onDamage === undefined ? {} : { onDamage };
}
