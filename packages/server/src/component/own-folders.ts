// SPDX-License-Identifier: Apache-2.0

import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { EngineError } from "@pawl/engine";
import type { ServerOptions } from "../options.js";
import type { ComponentSpec } from "./component-files.js";
import { componentFolder } from "./data-folder.js";
import { builtInName } from "./name.js";
import { locationOf } from "./open-component.js";

/** A folder of data, and whose it is. */
interface OwnedFolder {
  /** Without links. */
  readonly path: string;
  readonly owner: string;
}

/**
 * Refuses components whose data would be in one folder, or in a folder within another's: each engine
 * takes what it finds in its folder for its own. Only the places that are meant for components are
 * within the server's data folder.
 * @throws INVALID_ARGUMENT that names the file, the folder and whose it is
 */
export function requireOwnFolders(
  server: Required<Pick<ServerOptions, "store" | "dataDir">>,
  specs: readonly ComponentSpec[],
): void {
  const builtIn = { path: realPathOf(server.dataDir), owner: "the built-in component" };
  const others: OwnedFolder[] = [];
  for (const spec of specs) {
    const { store, dataDir } = locationOf(server, spec);
    if (spec.name === builtInName || store === "memory") continue;
    const path = realPathOf(dataDir);
    const isMeant = path === realPathOf(componentFolder(server.dataDir, spec.name));
    const taken = server.store === "memory" || isMeant ? others : [builtIn, ...others];
    for (const { path: other, owner } of taken) {
      const relation = relationOf(path, other);
      if (relation === undefined) continue;
      const message = `${spec.place}: dataDir: ${resolve(dataDir)} ${relation} the folder of ${owner}`;
      throw new EngineError("INVALID_ARGUMENT", message);
    }
    others.push({ path, owner: `the component of ${spec.place}` });
  }
}

function relationOf(path: string, other: string): "is" | "is within" | "is around" | undefined {
  if (path === other) return "is";
  if (isWithin(path, other)) return "is within";
  return isWithin(other, path) ? "is around" : undefined;
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** A path without links, as far as it is there. */
function realPathOf(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(realPathOf(parent), basename(whole));
  }
}
