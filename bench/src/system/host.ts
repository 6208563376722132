// SPDX-License-Identifier: Apache-2.0

// A program: opens one system and does the tasks that its parent sends. A process of its own for
// each system, so that CPU time and memory can be told apart.

import { Child } from "../process/child.js";
import { makeTempFolder } from "../process/temp-folder.js";
import { runTask } from "../workload/run-task.js";
import type { HostReply, HostRequest } from "./hosted-system.js";
import type { System, SystemModule, Toolbox, WorkflowSystem } from "./system.js";

/** A system that has not closed by then is left to the end of this process. */
const closeWaitMs = 15_000;

const toolbox: Toolbox = {
  startNode: Child.startNode,
  startProgram: Child.start,
  makeTempFolder,
};

const [moduleUrl = "", optionsText = "{}"] = process.argv.slice(2);
const { open }: SystemModule = await import(moduleUrl);
const opened: System | WorkflowSystem = await open(toolbox, JSON.parse(optionsText));

function send(reply: HostReply): void {
  process.send?.(reply);
}

async function answer(request: HostRequest): Promise<void> {
  try {
    const { task } = request;
    const sample = await ("measure" in opened ? opened.measure(task) : runTask(opened, task));
    send({ kind: "sample", sample });
  } catch (error) {
    send({
      kind: "failure",
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

process.on("message", (request: HostRequest) => void answer(request));
// The parent asks for the end, or is gone.
process.once("disconnect", () => {
  setTimeout(() => process.exit(1), closeWaitMs).unref();
  void opened.close().finally(() => process.exit());
});
send({ kind: "ready" });
