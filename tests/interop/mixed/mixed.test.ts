// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MixedSystem } from "./system.ts";
import { type Language, languages, prepareWorkers } from "./workers.ts";

/** Where nothing was built before, Maven fetches a lot. */
const buildMs = 600_000;

let makers: Awaited<ReturnType<typeof prepareWorkers>>;
let system: MixedSystem;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-mixed-"));
  makers = await prepareWorkers(folder);
}, buildMs);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Starts these workers for every test, or once for all of them, and stops them afterwards. */
function useWorkers(chosen: readonly Language[], lifetime: "test" | "all"): void {
  const [before, after] = lifetime === "all" ? [beforeAll, afterAll] : [beforeEach, afterEach];
  before(async () => {
    system = await MixedSystem.start(makers, chosen);
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(system.printed));
  });
  after(() => system.stop());
}

/** How each SDK says that it does not have "nobodys" (docs/workers.md). */
const words: Record<Language, { activity: [string, string]; workflow: [string, string] }> = {
  python: {
    activity: [
      "ActivityNotRegisteredError",
      "Activity function named 'nobodys' was not registered!",
    ],
    workflow: ["OrchestratorNotRegisteredError", "A 'nobodys' orchestrator was not registered."],
  },
  go: {
    activity: ["TaskActivityNotRegistered", "no task activity named 'nobodys' was registered"],
    workflow: ["*errors.errorString", "workflow named 'nobodys' is not registered"],
  },
  javascript: {
    activity: ["ActivityNotRegisteredError", "Activity function 'nobodys' is not registered."],
    workflow: ["OrchestratorNotRegisteredError", "Orchestrator 'nobodys' does not exist."],
  },
  java: {
    activity: [
      "java.lang.IllegalStateException",
      "No activity task named 'nobodys' is registered.",
    ],
    workflow: ["java.lang.IllegalStateException", "No factory found for orchestrator: nobodys"],
  },
};

/** Failures of the one activity of a workflow that calls one that nobody has. */
async function failuresOf(language: Language): Promise<string[][]> {
  const id = await system.run(`${language}Relay`, { text: "a", steps: ["nobodys"] });
  expect((await system.end(id)).runtimeStatus).toBe("FAILED");
  const failures = await system.activityFailures(id);
  return failures.map(({ errorType, errorMessage }) => [errorType, errorMessage]);
}

/** The failure of a workflow that nobody has. */
async function failureOfNobodys(): Promise<(string | undefined)[]> {
  const { runtimeStatus, properties } = await system.end(await system.run("nobodys", 1));
  expect(runtimeStatus).toBe("FAILED");
  return ["error_type", "error_message"].map((key) => properties[`dapr.workflow.failure.${key}`]);
}

describe.each(languages)("a worker of %s alone", (language) => {
  useWorkers([language], "all");

  test("fails what is not registered with it, in its SDK's words", async () => {
    expect(await failuresOf(language)).toEqual([words[language].activity]);
    expect(await failureOfNobodys()).toEqual(words[language].workflow);
  });
});

describe("workers of four languages", () => {
  useWorkers(languages, "all");

  test.each(languages)("run the activities and children of a workflow of %s", async (language) => {
    const text = randomUUID();
    const others = languages.filter((other) => other !== language);
    const marks = [...others, language].map((other) => `${other}Mark`);
    const children = others.map((other) => `${other}Relay`);
    const steps = [...marks, ...children];
    const id = await system.run(`${language}Relay`, { text, steps });

    expect(await system.output(id)).toBe([text, ...steps, `${language}Relay`].join(" "));
    expect(system.marks(text)).toEqual(
      marks.map((_, index) => [text, ...marks.slice(0, index + 1)].join(" ")),
    );
    expect(await system.activityFailures(id)).toEqual([]);
  });

  test("run many workflows at once, each activity once", async () => {
    const runs = Array.from({ length: 40 }, (_, index) => {
      const language = languages[index % 4] as Language;
      const steps = languages.map((_, at) => `${languages[(index + at + 1) % 4]}Mark`);
      return { text: randomUUID(), workflow: `${language}Relay`, steps };
    });
    await Promise.all(
      runs.map(async ({ text, workflow, steps }) => {
        const id = await system.run(workflow, { text, steps });
        expect(await system.output(id)).toBe([text, ...steps, workflow].join(" "));
      }),
    );
    for (const { text } of runs) expect(system.marks(text)).toHaveLength(4);
  });

  test("fail at once what none of them has", async () => {
    const said = languages.map((language) => words[language]);
    const [activityFailure, ...others] = await failuresOf("go");

    expect(others).toEqual([]);
    expect(said.map(({ activity }) => activity)).toContainEqual(activityFailure);
    expect(said.map(({ workflow }) => workflow)).toContainEqual(await failureOfNobodys());
  });
});

describe("a worker that is away for a while", () => {
  useWorkers(["python", "go", "java"], "test");

  test("gets the activities that no other language has", async () => {
    const text = randomUUID();
    const steps = ["goMark", "javaMark"];
    expect(await system.output(await system.run("pythonRelay", { text, steps }))).toBeDefined();
    await system.workers.get("go")?.kill();
    await system.waitForWorkers(2);
    const id = await system.run("pythonRelay", { text: `${text} again`, steps });
    // It is asked for what it does not have, by the time that it has answered this.
    await system.output(await system.run("javaRelay", { text, steps: ["javaMark"] }));
    await system.workers.get("go")?.start();

    expect(await system.output(id)).toBe(`${text} again goMark javaMark pythonRelay`);
    expect(system.marks(`${text} again`)).toHaveLength(2);
  });

  test("goes on with its workflow, also when the server was killed meanwhile", async () => {
    const text = randomUUID();
    const steps = ["goMark", "javaMark"];
    expect(await system.output(await system.run("pythonRelay", { text, steps }))).toBeDefined();
    await system.workers.get("python")?.kill();
    await system.waitForWorkers(2);
    const id = await system.run("pythonRelay", { text: `${text} again`, steps });
    await system.server.kill();
    await system.server.start();
    await system.waitForWorkers(2);
    expect((await system.get(id)).runtimeStatus).toBe("PENDING");
    await system.workers.get("python")?.start();

    expect(await system.output(id)).toBe(`${text} again goMark javaMark pythonRelay`);
    expect(system.marks(`${text} again`)).toHaveLength(2);
  });
});
