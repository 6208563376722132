// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DaprConfiguration, readDaprConfiguration } from "./dapr-configuration.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-config-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const head = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: appconfig}\n";
const workflow = (text: string): string => `${head}spec:\n  workflow:\n    ${text}\n`;

async function read(...texts: string[]): Promise<DaprConfiguration> {
  const files = texts.map((_, index) => join(folder, `${"abc"[index]}.yaml`));
  for (const [index, file] of files.entries()) await writeFile(file, texts[index] ?? "");
  return readDaprConfiguration(files);
}

describe("readDaprConfiguration()", () => {
  test("reads limits and retention of spec.workflow", async () => {
    const { settings, warnings } = await read(`${head}spec:
  workflow:
    maxConcurrentWorkflowInvocations: 100
    maxConcurrentActivityInvocations: 1000
    workflowConcurrencyLimits:
      - {name: OrderProcess, maxConcurrent: 20}
    activityConcurrencyLimits:
      - {name: SendEmail, maxConcurrent: 5}
      - {name: CallPaymentAPI, maxConcurrent: 10}
    stateRetentionPolicy:
      anyTerminal: 720h
      completed: 72h30m
      failed: 1.5h
      terminated: 0s
`);
    expect(settings).toEqual({
      concurrency: {
        turns: 100,
        activities: 1000,
        turnsOf: { OrderProcess: 20 },
        activitiesOf: { SendEmail: 5, CallPaymentAPI: 10 },
      },
      retention: {
        anyMs: 2_592_000_000,
        completedMs: 261_000_000,
        failedMs: 5_400_000,
        terminatedMs: 0,
        byWorkflow: {},
      },
    });
    expect(warnings).toEqual([]);
  });

  test.each([
    [{ own: 5, global: 3 }, 3],
    [{ own: 3, global: 5 }, 3],
    [{ own: 0, global: 5 }, 5],
    [{ own: -1, global: 0 }, 0],
    [{ own: 4, global: undefined }, 4],
  ])("takes the lower of a limit of one server and one of all: %j", async (given, limit) => {
    const { own, global = "" } = given;
    const lines = [
      `maxConcurrentWorkflowInvocations: ${own}`,
      ...(global === "" ? [] : [`globalMaxConcurrentWorkflowInvocations: ${global}`]),
    ];
    const { settings } = await read(workflow(lines.join("\n    ")));
    expect(settings.concurrency?.turns).toBe(limit);
  });

  test("puts what a later file says before what an earlier one does, name by name", async () => {
    const { settings } = await read(
      workflow(
        "{maxConcurrentWorkflowInvocations: 1, maxConcurrentActivityInvocations: 2, workflowConcurrencyLimits: [{name: a, maxConcurrent: 1}, {name: b, maxConcurrent: 1}]}",
      ),
      workflow(
        "{maxConcurrentWorkflowInvocations: 7, workflowConcurrencyLimits: [{name: b, maxConcurrent: 7}]}",
      ),
    );
    expect(settings.concurrency).toEqual({
      turns: 7,
      activities: 2,
      turnsOf: { a: 1, b: 7 },
      activitiesOf: {},
    });
  });

  test("warns of what says nothing to Pawl", async () => {
    const { settings, warnings } = await read(
      `${head}spec:\n  tracing: {samplingRate: "1"}\n  workflow:\n    activityDispatchMode: pull\n    maxConcurrentWorkflowInvocations: 2\n---\nkind: Component\napiVersion: dapr.io/v1alpha1\n`,
    );
    expect(settings.concurrency?.turns).toBe(2);
    expect(warnings.map((warning) => warning.replace(`${folder}/`, ""))).toEqual([
      "a.yaml:7: spec.workflow.activityDispatchMode: is not used by Pawl",
      "a.yaml:5: spec.tracing: is not used by Pawl",
      "a.yaml:10: kind: Component goes into the folder of components",
    ]);
  });

  test.each([
    [
      "maxConcurrentWorkflowInvocations: many",
      "maxConcurrentWorkflowInvocations: must be a whole number",
    ],
    [
      "maxConcurrentActivityInvocations: 1.5",
      "maxConcurrentActivityInvocations: must be a whole number",
    ],
    [
      "maxConcurrentActivityInvocations: 3000000000",
      "maxConcurrentActivityInvocations: must be a whole number",
    ],
    [
      "workflowConcurrencyLimits: 3",
      "workflowConcurrencyLimits: must be a list of names with limits",
    ],
    [
      "activityConcurrencyLimits: [{name: a}, {name: a}]",
      'activityConcurrencyLimits[1].name: "a" is named twice',
    ],
    [
      "stateRetentionPolicy: {completed: 3 days}",
      'stateRetentionPolicy.completed: must be a length of time, such as "72h", "30m" or "0s"',
    ],
    [
      "stateRetentionPolicy: {failed: 30}",
      'stateRetentionPolicy.failed: must be a length of time, such as "72h", "30m" or "0s"',
    ],
  ])("says of %s what is wrong, and where", async (text, complaint) => {
    await expect(read(workflow(text))).rejects.toThrow(
      `${join(folder, "a.yaml")}:6: spec.workflow.${complaint}`,
    );
  });

  test("names a file that cannot be read", async () => {
    await expect(readDaprConfiguration(["/nowhere/c.yaml"])).rejects.toThrow(
      "--config: cannot read /nowhere/c.yaml: ENOENT",
    );
  });
});
