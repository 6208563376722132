// SPDX-License-Identifier: Apache-2.0

import { InvalidArgumentError } from "commander";

/** Parses the value of a flag that is on unless it is said to be off. @throws InvalidArgumentError */
export function parseBoolean(text: string): boolean {
  if (text === "true" || text === "1") {
    return true;
  }
  if (text === "false" || text === "0") {
    return false;
  }
  throw new InvalidArgumentError("It must be true or false.");
}

/** The same of one that is off; an empty variable leaves it so. @throws InvalidArgumentError */
export function parseSwitch(text: string): boolean {
  return text !== "" && parseBoolean(text);
}
