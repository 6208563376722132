// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Engine, openEngine } from "@pawl/engine";
import { OrchestrationStatus, WorkflowActionSchema } from "@pawl/protocol";

// What it costs to delete many ended instances, and what others feel of it, in a data folder on disk:
// `node bench/dist/retention-cost.js 100000`. Prints one line of JSON. Others are one caller who runs
// one workflow after the other; their milliseconds are medians and 99th parts of a hundred.

const startsAtOnce = 1000;
/** Time that others are watched for before anything is deleted. */
const quietMs = 3_000;

const end = create(WorkflowActionSchema, {
  id: 0,
  workflowActionType: {
    case: "completeWorkflow",
    value: { workflowStatus: OrchestrationStatus.COMPLETED, result: '"done"' },
  },
});

const [count = 100_000] = process.argv.slice(2).map(Number);
const folder = await mkdtemp(join(tmpdir(), "pawl-retention-cost-"));
const engine = await openEngine({ dataDir: join(folder, "data"), queueLimit: count + 1 });
try {
  process.stdout.write(`${JSON.stringify(await measure(engine))}\n`);
} finally {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
}

async function measure(engine: Engine): Promise<object> {
  const session = engine.connectWorker({ name: "bench", turnLimit: startsAtOnce }, (item) => {
    const { instanceId, token } = item;
    void engine.completeTurn({ instanceId, token, actions: [end] });
  });
  for (let from = 0; from < count; from += startsAtOnce) {
    const ids = Array.from({ length: Math.min(startsAtOnce, count - from) }, (_, at) => from + at);
    await Promise.all(ids.map((id) => runOne(engine, "old", `i-${id}`)));
  }
  const quietAt = performance.now();
  const quiet = await watchOthers(engine, () => performance.now() - quietAt > quietMs);
  const cpuBefore = process.cpuUsage();
  const commitsBefore = engine.commitCount();
  const begunAt = performance.now();
  engine.reconfigure({ retention: { byWorkflow: { old: { completedMs: 0 } } } });
  let isGone = false;
  const gone = untilGone(engine).then(() => {
    isGone = true;
  });
  const during = await watchOthers(engine, () => isGone);
  await gone;
  const ms = performance.now() - begunAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  const commits = engine.commitCount() - commitsBefore;
  session.close();
  return {
    count,
    seconds: round(ms / 1000),
    perSecond: Math.round((count / ms) * 1000),
    cpuMicrosEach: round((user + system) / count),
    commits,
    rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
    othersQuiet: quiet,
    othersMeanwhile: during,
  };
}

async function runOne(engine: Engine, workflow: string, instanceId: string): Promise<void> {
  await engine.start({ workflow, instanceId });
  await engine.waitForCompletion(instanceId, { payloads: false });
}

/** How long another workflow takes, again and again. */
async function watchOthers(engine: Engine, isOver: () => boolean): Promise<object> {
  const times: number[] = [];
  do {
    const before = performance.now();
    await runOne(engine, "other", `other-${before}`);
    times.push(performance.now() - before);
  } while (!isOver());
  times.sort((a, b) => a - b);
  const at = (share: number): number => round(times[Math.floor(times.length * share)] ?? 0);
  return { runs: times.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1 - 1e-9) };
}

async function untilGone(engine: Engine): Promise<void> {
  for (;;) {
    const { instances } = await engine.list({ workflow: "old", pageSize: 1, payloads: false });
    if (instances.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
