// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PlantedFault } from "../../planted/index.ts";

/** A planted fault that no longer fits the sources. */
export class PlantError extends Error {}

/** The source file of a fault, in a folder of packages. */
export function pathOf(packages: string, { suite, file }: PlantedFault): string {
  return join(packages, suite === "server" ? "server" : "engine", "src", file);
}

/** A source file with a fault in it. @throws PlantError unless the text is there exactly once */
export function plant(packages: string, fault: PlantedFault): string {
  const { name, file, search, replace } = fault;
  const source = readFileSync(pathOf(packages, fault), "utf8");
  const count = source.split(search).length - 1;
  if (count !== 1) throw new PlantError(`${name}: ${file} has the text ${count} times, not once`);
  return source.replace(search, () => replace);
}
