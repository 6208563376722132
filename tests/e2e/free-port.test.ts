// SPDX-License-Identifier: Apache-2.0

import { findFreePort, findFreePorts } from "@pawl/free-port";
import { expect, test } from "vitest";

test("free ports all differ, and are none that the system gives to a connection", async () => {
  const found = await Promise.all(Array.from({ length: 20 }, () => findFreePort()));
  const ports = [...found, ...(await findFreePorts())];

  expect(new Set(ports).size).toBe(22);
  // Linux begins at 32,768; others, as IANA says, at 49,152.
  expect(Math.max(...ports)).toBeLessThan(32_768);
});
