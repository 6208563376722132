// SPDX-License-Identifier: Apache-2.0

import type { EngineSettings } from "@pawl/engine";
import type { YamlDocument } from "../config/yaml-file.js";
import { concurrencyOf, parseLimits, parseRetention } from "../flag/engine-flags.js";
import { parseBoolean } from "../flag/switch.js";
import type { MetadataValue, MetadataValues } from "./metadata-values.js";
import { builtInName } from "./name.js";

/** The type of component that Pawl has: its own engine. */
export const workflowType = "workflow.dapr";

/** What a workflow component's metadata says. Absent: as for all. */
export interface ComponentSettings {
  readonly store?: "level" | "memory";
  /** The data folder; from the folder in which the server was started. */
  readonly dataDir?: string;
  /** A port of its own. @default none */
  readonly port?: number;
  /** Limits and times of its engine. */
  readonly engine: EngineSettings;
}

/** The settings that there are. */
export const settingNames = [
  "dataDir",
  "store",
  "port",
  "maxTurns",
  "maxActivities",
  "retention",
  "keepExecutions",
];

/** Reads the settings of a workflow component, and what is wrong with them. */
export function readSettings(
  document: YamlDocument,
  component: string,
  { values }: MetadataValues,
): { readonly settings: ComponentSettings; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const parse = <T>(name: string, parser: (text: string) => T): T | undefined => {
    const value = values.get(name.toLowerCase());
    if (value === undefined) return undefined;
    try {
      return parser(value.text);
    } catch (error) {
      problems.push(document.problem(value.path, messageOf(value, error)));
      return undefined;
    }
  };
  const isBuiltIn = component === builtInName;
  const place = values.get("datadir");
  if (place?.path.at(-1) === "secretKeyRef") {
    problems.push(document.problem(place.path, "dataDir is no secret: the log shows it"));
  }
  const store = parse("store", isBuiltIn ? keptByServer : parseStore);
  const dataDir = parse("dataDir", isBuiltIn ? keptByServer : String);
  const port = parse("port", isBuiltIn ? keptByServer : parsePort);
  const turns = parse("maxTurns", parseLimits);
  const activities = parse("maxActivities", parseLimits);
  const retention = parse("retention", parseRetention);
  const keepExecutions = parse("keepExecutions", parseBoolean);
  const engine = {
    ...(turns === undefined && activities === undefined
      ? {}
      : { concurrency: concurrencyOf(turns, activities) }),
    ...(retention === undefined ? {} : { retention }),
    ...(keepExecutions === undefined ? {} : { keepExecutions }),
  };
  const settings = {
    ...(store === undefined ? {} : { store }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(port === undefined ? {} : { port }),
    engine,
  };
  return { settings, problems };
}

/** A message of a parser may have the value in it. */
function messageOf({ name, isSecret }: MetadataValue, error: unknown): string {
  if (isSecret) return `the value that is kept there is not good for ${name}`;
  return error instanceof Error ? error.message : String(error);
}

function parseStore(text: string): "level" | "memory" {
  if (text === "level" || text === "memory") return text;
  throw new Error('must be "level" or "memory"');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port <= 65_535) return port;
  throw new Error("must be a number from 1 to 65535");
}

function keptByServer(): never {
  throw new Error(
    `the built-in component "${builtInName}" is where --data, --store and --port say`,
  );
}
