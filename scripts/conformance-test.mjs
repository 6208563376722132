// SPDX-License-Identifier: Apache-2.0

// Runs the Connect conformance suite: `conformance-test.mjs RUNNER REPORT [RUNNER'S ARGUMENTS…]`, RUNNER
// being the program's path. What the runner prints is the report.

import { fork, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { nodePath, root } from "./workspace.mjs";

const [runner, reportFile, ...more] = process.argv.slice(2);
const folder = join(root, "tests/conformance");
const report = createWriteStream(reportFile);
const host = fork(join(folder, "src/host.ts"), { execPath: nodePath() });
let suite;
// A server that hangs must not hold up the suites after this one.
const limit = setTimeout(() => {
  suite?.kill();
  host.kill();
}, 10 * 60_000);
const port = await new Promise((resolve, reject) => {
  host.once("message", resolve);
  host.once("exit", () => reject(new Error("the process of the servers has ended")));
});
suite = spawn(
  runner,
  [
    ...["--mode", "server", "--conf", join(folder, "conformance.yaml"), "--max-servers", "2"],
    ...[...more, "--", nodePath(), join(folder, "src/relay.mjs"), String(port)],
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
suite.stdout.on("data", (chunk) => {
  report.write(chunk);
  process.stdout.write(chunk);
});
process.exitCode = await new Promise((resolve) => {
  suite.once("error", () => resolve(127));
  suite.once("close", (code) => resolve(code ?? 1));
});
clearTimeout(limit);
if (host.connected) host.disconnect();
report.end();
await finished(report);
