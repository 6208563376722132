// SPDX-License-Identifier: Apache-2.0

import { isEngineError, verifyFolder } from "@pawl/engine";

/**
 * Reads a data folder whole and prints what is damaged, one line each, then the counts. The exit code
 * is 0 when all is sound, 2 when an instance or an index is damaged, 1 when the folder cannot be read.
 */
export async function verify(dataDir: string): Promise<void> {
  const tell = process.stderr.isTTY
    ? (instances: number) => process.stderr.write(`\r${instances} instances read`)
    : () => true;
  try {
    const { instances, events, damaged, indexFaults = [] } = await verifyFolder(dataDir, tell);
    if (process.stderr.isTTY) process.stderr.write("\n");
    for (const { instanceId, reason } of damaged)
      process.stdout.write(`${instanceId}: ${reason}\n`);
    for (const { instanceId, reason } of indexFaults)
      process.stdout.write(`${instanceId}: index: ${reason}\n`);
    process.stdout.write(
      `${instances} instances, ${events} events, ${damaged.length} damaged, ${indexFaults.length} index faults\n`,
    );
    process.exitCode = damaged.length + indexFaults.length === 0 ? 0 : 2;
  } catch (error) {
    if (!isEngineError(error)) throw error;
    process.stderr.write(`pawl: ${error.message}\n`);
    process.exitCode = 1;
  }
}
