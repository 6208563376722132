// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PlantedFault } from "../../planted/index.ts";

/** A planted fault that no longer fits the sources. */
export class PlantError extends Error {}

/** A source file with a fault in it. @throws PlantError unless the text is there exactly once */
export function plant(engine: string, { name, file, search, replace }: PlantedFault): string {
  const source = readFileSync(join(engine, "src", file), "utf8");
  const count = source.split(search).length - 1;
  if (count !== 1) throw new PlantError(`${name}: ${file} has the text ${count} times, not once`);
  return source.replace(search, () => replace);
}
