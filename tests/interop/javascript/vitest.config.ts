// SPDX-License-Identifier: Apache-2.0

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // The SDK's client logs every call; shown with a test that fails.
    silent: "passed-only",
    // Ends the suite early when the server is down for good, rather than wait it out test by test.
    bail: 5,
  },
});
