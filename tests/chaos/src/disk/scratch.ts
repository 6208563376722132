// SPDX-License-Identifier: Apache-2.0

import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";

/** Where folders are made that need not outlive the machine: in memory, where that is possible. */
export function scratchRoot(): string {
  try {
    accessSync("/dev/shm", constants.W_OK | constants.X_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}
