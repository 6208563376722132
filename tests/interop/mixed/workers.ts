// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { ReadyProcess, WorkerProcess } from "../javascript/processes.ts";

/** Languages whose SDK has a worker here; each has a relay workflow and a mark activity of its name. */
export const languages = ["python", "go", "javascript", "java"] as const;

/** One of them. */
export type Language = (typeof languages)[number];

const run = promisify(execFile);
const suites = join(import.meta.dirname, "..");
const ready = "worker ready";

/** Makes a worker that is told nothing but the server's port and the folder for its marks. */
export type WorkerMaker = (port: number, stateDir: string) => ReadyProcess;

/** Builds what has to be built, once, into the folder, and gives the makers of all workers. */
export async function prepareWorkers(folder: string): Promise<Record<Language, WorkerMaker>> {
  const [go, classPath] = [join(folder, "go-worker"), join(folder, "class-path")];
  await run(requireTool("PAWL_TEST_GO"), ["build", "-o", go, "./worker"], {
    cwd: join(suites, "go"),
  });
  const goals = ["compile", "dependency:build-classpath", `-Dmdep.outputFile=${classPath}`];
  await run(requireTool("PAWL_TEST_MAVEN"), ["--batch-mode", "--quiet", ...goals], {
    cwd: join(suites, "java"),
  });
  const jars = (await readFile(classPath, "utf8")).trim();
  const classes = [join(suites, "java/target/classes"), jars].join(delimiter);
  const python = requireTool("PAWL_TEST_DAPR_PYTHON");
  const script = join(suites, "python/worker.py");
  return {
    python: (port, stateDir) =>
      new ReadyProcess(python, [script, "--port", `${port}`, "--state-dir", stateDir], ready),
    go: (port, stateDir) =>
      new ReadyProcess(go, ["-port", `${port}`, "-state-dir", stateDir], ready),
    javascript: (port, stateDir) => new WorkerProcess(port, stateDir),
    java: (port, stateDir) =>
      new ReadyProcess("java", ["-cp", classes, "pawl.interop.Worker", `${port}`, stateDir], ready),
  };
}

/** A program that the suite's runner has found (scripts/suites.mjs). */
function requireTool(variable: string): string {
  const path = process.env[variable];
  if (path === undefined) throw new Error(`${variable} is not set: run npm test -- interop-mixed`);
  return path;
}
