// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "../authoring.js";

/** Writes each line with its facts to the console. */
export const consoleLogger: Logger = {
  info: (facts, message) => console.info(message, facts),
  warn: (facts, message) => console.warn(message, facts),
  error: (facts, message) => console.error(message, facts),
};
