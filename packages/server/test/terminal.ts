// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, vi } from "vitest";

/** What commands write, which a test looks at. */
export class Terminal {
  /** What went to stdout and stderr, piece by piece. */
  printed: string[] = [];
  complained: string[] = [];

  /** What went to stdout since the last time that this was asked. */
  take(): string {
    return this.printed.splice(0).join("");
  }
}

/** Keeps what the commands of each test write, and their exit code from being that of the tests. */
export function keepTerminal(): Terminal {
  const terminal = new Terminal();
  const { stdout, stderr } = process;
  beforeEach(() => {
    terminal.printed = [];
    terminal.complained = [];
    vi.spyOn(stdout, "write").mockImplementation((text) => terminal.printed.push(`${text}`) > 0);
    vi.spyOn(stderr, "write").mockImplementation((text) => terminal.complained.push(`${text}`) > 0);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = 0;
  });
  return terminal;
}
