// SPDX-License-Identifier: Apache-2.0

import { InvalidArgumentError } from "commander";

/** Parses the value of a flag that is on or off. */
export function parseSwitch(text: string): boolean {
  if (text === "true" || text === "1") {
    return true;
  }
  if (text === "false" || text === "0" || text === "") {
    return false;
  }
  throw new InvalidArgumentError("It must be true or false.");
}
