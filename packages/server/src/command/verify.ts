// SPDX-License-Identifier: Apache-2.0

import { isEngineError, type VerifyOptions, verifyFolder } from "@pawl/engine";
import { componentFolder, listKeptComponents } from "../component/data-folder.js";
import { failWith, printReports, type TitledReport } from "./report.js";

/**
 * Reads a data folder whole, with the components in it, and prints what is damaged, one line each, then
 * the counts. With `rebuildIndexes`, their indexes are made anew first. The exit code is 0 when all is sound,
 * 2 when an instance or an index is damaged, 1 when a folder cannot be read.
 */
export async function verify(dataDir: string, options: VerifyOptions = {}): Promise<void> {
  const tell = process.stderr.isTTY
    ? (instances: number) => process.stderr.write(`\r${instances} instances read`)
    : () => true;
  const folders = [{ title: "", folder: dataDir }];
  for (const name of await listKeptComponents(dataDir)) {
    folders.push({ title: `component ${name}`, folder: componentFolder(dataDir, name) });
  }
  const reports: TitledReport[] = [];
  const failures: string[] = [];
  for (const { title, folder } of folders) {
    try {
      reports.push({ title, report: await verifyFolder(folder, tell, options) });
      if (process.stderr.isTTY) process.stderr.write("\n");
    } catch (error) {
      if (!isEngineError(error)) throw error;
      failures.push(error.message);
    }
  }
  printReports(reports);
  for (const failure of failures) failWith(failure);
}
