// SPDX-License-Identifier: Apache-2.0

// Runs a Go module's tests: `go-test.mjs GO FOLDER REPORT`, GO being the program's path. The report
// holds `go test -json`'s events; what failed is printed.

import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";

const [program, folder, reportFile] = process.argv.slice(2);
const report = createWriteStream(reportFile);
const go = spawn(program, ["test", "-json", "-count=1", "-timeout=10m", "./..."], {
  cwd: folder,
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = new Promise((resolve) => {
  go.once("error", () => resolve(127));
  go.once("close", (code) => resolve(code ?? 1));
});

const printed = new Map();
for await (const line of createInterface({ input: go.stdout })) {
  if (!line.startsWith("{")) {
    process.stdout.write(`${line}\n`);
    continue;
  }
  report.write(`${line}\n`);
  const event = JSON.parse(line);
  const key = `${event.Package ?? event.ImportPath} ${event.Test ?? ""}`;
  if (event.Output !== undefined) printed.set(key, (printed.get(key) ?? "") + event.Output);
  const isFailure = event.Action === "fail" || event.Action === "build-fail";
  const isEnd = isFailure || event.Action === "pass" || event.Action === "skip";
  if (isFailure || (event.Action === "pass" && event.Test === undefined)) {
    process.stdout.write(printed.get(key) ?? "");
  }
  if (isEnd) printed.delete(key);
}
report.end();
await finished(report);
process.exitCode = await ended;
