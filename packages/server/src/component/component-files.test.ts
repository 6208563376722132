// SPDX-License-Identifier: Apache-2.0

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ComponentFiles, readComponentFiles } from "./component-files.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-files-"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const head = "apiVersion: dapr.io/v1alpha1\nkind: Component\n";
const billing = `${head}metadata:\n  name: billing\nspec:\n  type: workflow.dapr\n`;
const settings = (...lines: string[]): string =>
  `${billing}  metadata:\n${lines.map((line) => `    - ${line}\n`).join("")}`;

/** Reads files of these texts, named a.yaml, b.yaml, … */
async function read(...texts: string[]): Promise<ComponentFiles> {
  for (const [index, text] of texts.entries()) {
    await writeFile(join(folder, `${"abc"[index]}.yaml`), text);
  }
  return readComponentFiles([folder], "pawl");
}

/** What is said of files that are not good, with the folder left out. */
async function complaintOf(...texts: string[]): Promise<string> {
  const error = await read(...texts).then(
    () => new Error("they are good"),
    (reason: Error) => reason,
  );
  return error.message.replaceAll(`${folder}/`, "");
}

async function warningsOf(...texts: string[]): Promise<string[]> {
  const { warnings } = await read(...texts);
  return warnings.map((warning) => warning.replaceAll(`${folder}/`, ""));
}

describe("readComponentFiles()", () => {
  test("reads all documents of all YAML files, and nothing else", async () => {
    await writeFile(join(folder, "note.txt"), "nothing");
    await mkdir(join(folder, "more.yaml"));
    await writeFile(join(folder, "more.yaml", "d.yaml"), "nothing");
    const { components, warnings } = await read(
      `${billing}---\n# nothing here\n---\n${billing.replace("billing", "shipping")}  version: v1\n`,
      `${billing.replace("billing", "audit")}  version: v1.0-alpha1\n`,
    );
    expect(components.map(({ name, type, version }) => [name, type, version])).toEqual([
      ["billing", "workflow.dapr", "v1"],
      ["shipping", "workflow.dapr", "v1"],
      ["audit", "workflow.dapr", "v1.0-alpha1"],
    ]);
    expect(components[1]?.place).toBe(`${join(folder, "a.yaml")}:13`);
    expect(warnings).toEqual([]);
  });

  test("reads every setting, whatever the case of its name", async () => {
    const { components } = await read(
      settings(
        "{name: DATADIR, value: /var/billing}",
        "{name: store, value: level}",
        "{name: port, value: 3510}",
        "{name: maxTurns, value: 5}",
        '{name: maxActivities, value: "100,charge=2"}',
        '{name: retention, value: "completed=1h"}',
        "{name: keepExecutions, value: false}",
      ),
    );
    expect(components[0]?.settings).toEqual({
      dataDir: "/var/billing",
      store: "level",
      port: 3510,
      engine: {
        concurrency: { turns: 5, turnsOf: {}, activities: 100, activitiesOf: { charge: 2 } },
        retention: { completedMs: 3_600_000, byWorkflow: {} },
        keepExecutions: false,
      },
    });
  });

  test.each([
    ["- a", "a.yaml:1: must be a resource, with apiVersion and kind"],
    ["kind: Component", "a.yaml:1: apiVersion: must be text"],
    [billing.replace("v1alpha1", "v1"), 'a.yaml:1: apiVersion: must be "dapr.io/v1alpha1"'],
    [`${head}spec: {type: workflow.dapr}`, "a.yaml:1: metadata: must have a name"],
    [`${head}metadata: {name: x}`, "a.yaml:1: spec: must have a type"],
    [
      billing.replace("billing", "../up"),
      'a.yaml:4: metadata.name: must be letters, digits, ".", "_" and "-", with a letter or digit first and last',
    ],
    [
      billing.replace("billing", "x".repeat(64)),
      "a.yaml:4: metadata.name: must have at most 63 characters",
    ],
    [
      billing.replace("billing", "Con.x"),
      "a.yaml:4: metadata.name: is a name that some file systems keep for devices",
    ],
    [
      billing.replace("workflow.dapr", "workflow.temporal"),
      "a.yaml:6: spec.type: workflow.temporal is not a type that Pawl has: workflow.dapr is",
    ],
    [
      `${billing}  version: v2\n`,
      "a.yaml:7: spec.version: must be one of v1, v1.0-beta1, v1.0-alpha1",
    ],
    [
      settings("{name: maxTurns}"),
      "a.yaml:8: spec.metadata[0]: must have one of value, secretKeyRef and envRef",
    ],
    [
      settings("{name: maxTurns, value: [1]}"),
      "a.yaml:8: spec.metadata[0].value: must be text, a number or a boolean",
    ],
    [
      settings("{name: maxTurns, value: many}"),
      'a.yaml:8: spec.metadata[0].value: "many" is not a number, or a name with one: order=5.',
    ],
    [
      settings("{name: store, value: level}", "{name: store, value: redis}"),
      'a.yaml:9: spec.metadata[1].name: "store" is set twice',
    ],
    [
      settings("{name: store, value: redis}"),
      'a.yaml:8: spec.metadata[0].value: must be "level" or "memory"',
    ],
    [
      settings("{name: port, value: 0}"),
      "a.yaml:8: spec.metadata[0].value: must be a number from 1 to 65535",
    ],
    [
      settings("{name: dataDir, value: x}").replace("billing", "dapr"),
      'a.yaml:8: spec.metadata[0].value: the built-in component "dapr" is where --data, --store and --port say',
    ],
    [
      settings("{name: store, secretKeyRef: {name: x}}"),
      "a.yaml:8: spec.metadata[0].secretKeyRef: needs auth.secretStore, the name of a secret store component",
    ],
    [
      `auth: {secretStore: vault}\n${settings("{name: store, secretKeyRef: {name: x}}")}`,
      'a.yaml:9: spec.metadata[0].secretKeyRef: the secret store component "vault" is not there',
    ],
    [
      settings("{name: store, envRef: PAWL_TEST_NOT_SET}"),
      "a.yaml:8: spec.metadata[0].envRef: there is no environment variable PAWL_TEST_NOT_SET",
    ],
    [`scopes: pawl\n${billing}`, "a.yaml:1: scopes: must be a list of app ids"],
    [
      "a: [",
      "a.yaml:1: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    ["a: *b", "a.yaml:1: Unresolved alias (the anchor must be set before the alias): b"],
  ])("says of %j what is wrong, and where", async (text, complaint) => {
    expect(await complaintOf(text)).toBe(complaint);
  });

  test("tells the mistakes of all files and documents in one line", async () => {
    const complaint = await complaintOf(
      `${billing}  version: 3\n---\n${billing.replace("billing", "a b")}`,
      billing.replace("spec", "spek"),
    );
    expect(complaint).toBe(
      'a.yaml:7: spec.version: must be text; a.yaml:12: metadata.name: must be letters, digits, ".", "_" and "-", with a letter or digit first and last; b.yaml:1: spec: must have a type',
    );
  });

  test("refuses a name that another file has, also in another case", async () => {
    expect(await complaintOf(billing, billing.replace("billing", "Billing"))).toBe(
      'b.yaml:4: metadata.name: "Billing" is taken by a.yaml:4',
    );
  });

  test("names folders that cannot be read", async () => {
    await expect(readComponentFiles([join(folder, "none")], "pawl")).rejects.toThrow(
      /^--components-path: cannot read it: ENOENT.*none'$/,
    );
  });

  test("warns of kinds, types, fields and settings that say nothing to Pawl", async () => {
    const other = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\n";
    const config = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\n";
    const state = `${head}metadata: {name: store}\nspec: {type: state.redis, metadata: 3}\n`;
    const warnings = await warningsOf(
      `${settings("{name: colour, value: red}")}  initTimeout: 5s\nlabels: {}\n`,
      `${other}---\n${config}---\n${state}`,
    );
    expect(warnings).toEqual([
      "a.yaml:9: spec.initTimeout: is not used by Pawl",
      "a.yaml:10: labels: is not used by Pawl",
      "b.yaml:2: kind: Resiliency is not used by Pawl",
      "b.yaml:5: kind: Configuration goes to --config",
      'b.yaml:10: spec.type: state.redis "store" is not used by Pawl',
      'a.yaml:8: spec.metadata[0].name: workflow.dapr has no setting "colour"',
    ]);
  });

  test("leaves out what is for other app ids, and what may have mistakes", async () => {
    const { components, withheld, faulty, warnings } = await read(
      `scopes: [shop, till]\n${billing}`,
      `scopes: [pawl, till]\n${billing.replace("billing", "mine")}`,
      `${billing.replace("billing", "old").replace(".dapr", ".temporal")}  ignoreErrors: true\n`,
    );
    expect(components.map(({ name }) => name)).toEqual(["mine"]);
    expect([withheld, faulty]).toEqual([["billing"], ["old"]]);
    expect(warnings.map((warning) => warning.replaceAll(`${folder}/`, ""))).toEqual([
      'a.yaml:1: scopes: "billing" is for shop, till, and this is "pawl": it is not served',
      'c.yaml:6: spec.type: workflow.temporal is not a type that Pawl has: workflow.dapr is; "old" is ignored',
    ]);
  });
});

/** A component whose one setting is a secret. */
function withSecret(store: string, reference: string, name = "maxTurns"): string {
  return `auth: {secretStore: ${store}}\n${settings(`{name: ${name}, secretKeyRef: ${reference}}`)}`;
}

function secretStore(type: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const metadata = Object.entries(fields).map(([name, value]) => ({ name, value }));
  return `${head}metadata: {name: secrets}\nspec: ${JSON.stringify({ type, metadata })}\n`;
}

describe("secrets of component files", () => {
  test("come from variables, with the prefix of the store", async () => {
    vi.stubEnv("PAWL_TEST_TURNS", "7");
    const { components } = await read(
      withSecret("secrets", "{name: TURNS, key: TURNS}"),
      secretStore("secretstores.local.env", { prefix: "PAWL_TEST_" }),
    );
    expect(components[0]?.settings.engine.concurrency?.turns).toBe(7);
  });

  test("come from a variable that is named directly", async () => {
    vi.stubEnv("PAWL_TEST_TURNS", "7");
    const { components } = await read(settings("{name: maxTurns, envRef: PAWL_TEST_TURNS}"));
    expect(components[0]?.settings.engine.concurrency?.turns).toBe(7);
  });

  test.each([
    [{ turns: "7" }, {}, "{name: turns}"],
    [{ billing: { turns: 7 } }, {}, '{name: "billing:turns"}'],
    [{ billing: { turns: 7 } }, { nestedSeparator: "." }, "{name: billing.turns}"],
    [{ billing: [1, { turns: 7 }] }, {}, '{name: "billing:1:turns"}'],
    [{ billing: { turns: 7 } }, { multiValued: "true" }, "{name: billing, key: turns}"],
    [{ turns: "7" }, { multiValued: true }, "{name: turns}"],
  ])("come from a file: %j with %j as %s", async (content, fields, reference) => {
    const secretsFile = join(folder, "secrets.json");
    await writeFile(secretsFile, JSON.stringify(content));
    const { components, secretFiles } = await read(
      withSecret("secrets", reference),
      secretStore("secretstores.local.file", { secretsFile, ...fields }),
    );
    expect(components[0]?.settings.engine.concurrency?.turns).toBe(7);
    expect(secretFiles).toEqual([secretsFile]);
  });

  test.each(["DAPR_API_TOKEN", "dapr_secret", "APP_API_TOKEN"])(
    "never are Dapr's own variable %s",
    async (name) => {
      vi.stubEnv(name, "7");
      expect(await complaintOf(settings(`{name: maxTurns, envRef: ${name}}`))).toBe(
        `a.yaml:8: spec.metadata[0].envRef: there is no environment variable ${name}`,
      );
      expect(
        await complaintOf(
          withSecret("secrets", `{name: ${name}}`),
          secretStore("secretstores.local.env"),
        ),
      ).toBe(
        `a.yaml:9: spec.metadata[0].secretKeyRef: the secret store "secrets" has no secret "${name}"`,
      );
    },
  );

  test("are not taken for what the log shows", async () => {
    vi.stubEnv("PAWL_TEST_SECRET", "/hunter2");
    const store = secretStore("secretstores.local.env");
    const reference = "{name: PAWL_TEST_SECRET}";
    expect(await complaintOf(withSecret("secrets", reference, "dataDir"), store)).toBe(
      "a.yaml:9: spec.metadata[0].secretKeyRef: dataDir is no secret: the log shows it",
    );
  });

  test("are not shown when they are not good", async () => {
    vi.stubEnv("PAWL_TEST_SECRET", "hunter2");
    for (const name of ["maxTurns", "retention", "keepExecutions", "store"]) {
      expect(await complaintOf(settings(`{name: ${name}, envRef: PAWL_TEST_SECRET}`))).toBe(
        `a.yaml:8: spec.metadata[0].envRef: the value that is kept there is not good for ${name}`,
      );
    }
  });

  test("are not shown when their file is not good", async () => {
    const secretsFile = join(folder, "secrets.json");
    await writeFile(secretsFile, '{"turns": hunter2}');
    const complaint = await complaintOf(
      withSecret("secrets", "{name: turns}"),
      secretStore("secretstores.local.file", { secretsFile }),
    );
    expect(complaint).toBe(
      'b.yaml:4: spec.metadata[0].value: secrets.json is not a JSON object; a.yaml:9: spec.metadata[0].secretKeyRef: the secret store component "secrets" has mistakes',
    );
  });

  test.each([
    [
      secretStore("secretstores.local.file"),
      "b.yaml:4: spec.metadata: secretstores.local.file needs secretsFile",
    ],
    [
      secretStore("secretstores.local.file", { secretsFile: "/nowhere/s.json" }),
      "b.yaml:4: spec.metadata[0].value: cannot read /nowhere/s.json: ENOENT: no such file or directory, open '/nowhere/s.json'",
    ],
    [
      secretStore("secretstores.local.vault"),
      "b.yaml:4: spec.type: secretstores.local.vault is not a type that Pawl has: secretstores.local.env and secretstores.local.file are",
    ],
  ])("need a store that works: %j", async (store, complaint) => {
    expect(await complaintOf(billing, store)).toBe(complaint);
  });

  test("warn of stores that are not on this machine, and of settings that a store has not", async () => {
    const vault = `${head}metadata: {name: vault}\nspec: {type: secretstores.hashicorp.vault}\n`;
    expect(
      await warningsOf(vault, secretStore("secretstores.local.env", { prefics: "x" })),
    ).toEqual([
      'a.yaml:4: spec.type: secretstores.hashicorp.vault "vault" is not used by Pawl',
      'b.yaml:4: spec.metadata[0].name: secretstores.local.env has no setting "prefics"',
    ]);
  });
});
