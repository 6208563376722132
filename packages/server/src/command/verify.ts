// SPDX-License-Identifier: Apache-2.0

import { isEngineError, verifyFolder } from "@pawl/engine";
import { failWith, printReport } from "./report.js";

/**
 * Reads a data folder whole and prints what is damaged, one line each, then the counts. The exit code
 * is 0 when all is sound, 2 when an instance or an index is damaged, 1 when the folder cannot be read.
 */
export async function verify(dataDir: string): Promise<void> {
  const tell = process.stderr.isTTY
    ? (instances: number) => process.stderr.write(`\r${instances} instances read`)
    : () => true;
  try {
    const report = await verifyFolder(dataDir, tell);
    if (process.stderr.isTTY) process.stderr.write("\n");
    printReport(report);
  } catch (error) {
    if (!isEngineError(error)) throw error;
    failWith(error.message);
  }
}
