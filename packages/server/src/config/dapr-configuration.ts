// SPDX-License-Identifier: Apache-2.0

import type { EngineSettings } from "@pawl/engine";
import * as z from "zod";
import { apiVersion, resourceHead } from "../component/component-schema.js";
import { parseDuration } from "../flag/duration.js";
import { mergeSettings } from "./merge-settings.js";
import { readNamedFile } from "./watched-file.js";
import { parseYamlDocuments, type YamlDocument } from "./yaml-file.js";

/** What Dapr's Configuration files say. */
export interface DaprConfiguration {
  readonly settings: EngineSettings;
  /** What people should know, one line each. */
  readonly warnings: readonly string[];
}

/** As in Dapr: 0 and less is no limit. */
const limit = z.int32("must be a whole number").optional();

const durationMessage = 'must be a length of time, such as "72h", "30m" or "0s"';
const duration = z
  .string(durationMessage)
  .transform((text, context) => {
    const lengthMs = parseDuration(text);
    if (lengthMs !== undefined) return lengthMs;
    context.addIssue({ code: "custom", message: durationMessage });
    return z.NEVER;
  })
  .optional();

const limits = z
  .array(
    z.strictObject({
      name: z.string("must be text").min(1, "must not be empty"),
      maxConcurrent: limit,
    }),
    "must be a list of names with limits",
  )
  .superRefine((entries, context) => {
    for (const [index, { name }] of entries.entries()) {
      if (entries.findIndex((other) => other.name === name) !== index) {
        const message = `"${name}" is named twice`;
        context.addIssue({ code: "custom", path: [index, "name"], message });
      }
    }
  })
  .optional();

/** The `spec.workflow` of Dapr's Configuration (docs/components.md). */
const workflowSpec = z.strictObject({
  maxConcurrentWorkflowInvocations: limit,
  maxConcurrentActivityInvocations: limit,
  globalMaxConcurrentWorkflowInvocations: limit,
  globalMaxConcurrentActivityInvocations: limit,
  workflowConcurrencyLimits: limits,
  activityConcurrencyLimits: limits,
  stateRetentionPolicy: z
    .strictObject({
      anyTerminal: duration,
      completed: duration,
      failed: duration,
      terminated: duration,
    })
    .optional(),
});

type WorkflowSpec = z.infer<typeof workflowSpec>;

const schema = z.strictObject({
  apiVersion: z.literal(apiVersion, `must be "${apiVersion}"`),
  kind: z.string(),
  // Which of several configurations it is, where there are several.
  metadata: z.unknown().optional(),
  spec: z.strictObject({ workflow: workflowSpec.optional() }).optional(),
});

/**
 * Reads Dapr's Configuration files: what a later one says goes before.
 * @throws INVALID_ARGUMENT with file, line and field of each problem
 */
export async function readDaprConfiguration(files: readonly string[]): Promise<DaprConfiguration> {
  let settings: EngineSettings = {};
  const warnings: string[] = [];
  for (const file of files) {
    for (const document of parseYamlDocuments(file, await readNamedFile(file, "--config"))) {
      settings = mergeSettings(settings, readDocument(document, warnings));
    }
  }
  return { settings, warnings };
}

function readDocument(document: YamlDocument, warnings: string[]): EngineSettings {
  const { kind } = document.check(resourceHead);
  if (kind !== "Configuration") {
    const where =
      kind === "Component" ? "goes into the folder of components" : "is not used by Pawl";
    warnings.push(document.problem(["kind"], `${kind} ${where}`));
    return {};
  }
  const { data, unknown } = document.checkKnown(schema);
  for (const path of unknown) warnings.push(document.problem(path, "is not used by Pawl"));
  return toSettings(data.spec?.workflow ?? {});
}

function toSettings(spec: WorkflowSpec): EngineSettings {
  const turns = lowest(
    spec.maxConcurrentWorkflowInvocations,
    spec.globalMaxConcurrentWorkflowInvocations,
  );
  const activities = lowest(
    spec.maxConcurrentActivityInvocations,
    spec.globalMaxConcurrentActivityInvocations,
  );
  const { anyTerminal, completed, failed, terminated } = spec.stateRetentionPolicy ?? {};
  return {
    concurrency: {
      ...(turns === undefined ? {} : { turns }),
      ...(activities === undefined ? {} : { activities }),
      turnsOf: byName(spec.workflowConcurrencyLimits),
      activitiesOf: byName(spec.activityConcurrencyLimits),
    },
    retention: {
      ...(anyTerminal === undefined ? {} : { anyMs: anyTerminal }),
      ...(completed === undefined ? {} : { completedMs: completed }),
      ...(failed === undefined ? {} : { failedMs: failed }),
      ...(terminated === undefined ? {} : { terminatedMs: terminated }),
    },
  };
}

/** A limit of one server and one of all servers both hold; there is one server. */
function lowest(own: number | undefined, global: number | undefined): number | undefined {
  const given = [own, global].filter((one) => one !== undefined);
  const limits = given.filter((one) => one > 0);
  if (limits.length > 0) return Math.min(...limits);
  return given.length > 0 ? 0 : undefined;
}

function byName(entries: WorkflowSpec["workflowConcurrencyLimits"] = []): Record<string, number> {
  return Object.fromEntries(entries.map(({ name, maxConcurrent = 0 }) => [name, maxConcurrent]));
}
