// SPDX-License-Identifier: Apache-2.0

import { defineConfig } from "vitest/config";

/** Tests that start processes: a slow machine must not fail them. */
const processTimeouts = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "packages/*/{src,test}/**/*.test.ts",
            "examples/*/{src,test}/**/*.test.ts",
            "bench/src/**/*.test.ts",
            "scripts/**/*.test.mjs",
          ],
          setupFiles: ["scripts/seed-properties.mjs"],
          testTimeout: 30_000,
          // What is waited for has come long before, unless the machine is starved.
          expect: { poll: { timeout: 20_000 } },
        },
      },
      { test: { name: "e2e", include: ["tests/e2e/**/*.test.ts"], ...processTimeouts } },
      "tests/interop/javascript",
      {
        test: {
          name: "interop-mixed",
          include: ["tests/interop/mixed/*.test.ts"],
          ...processTimeouts,
        },
      },
      {
        test: {
          name: "interop-microsoft",
          include: ["tests/interop/microsoft/*.test.ts"],
          ...processTimeouts,
        },
      },
      { test: { name: "fuzz", include: ["tests/fuzz/**/*.test.ts"], testTimeout: 600_000 } },
      { test: { name: "chaos", include: ["tests/chaos/**/*.test.ts"], testTimeout: 600_000 } },
    ],
    coverage: {
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/gen/**", "**/*.test.ts", "**/testing/**"],
      thresholds: {
        lines: 90,
        "packages/engine/src/core/**": { lines: 100, branches: 100 },
      },
    },
  },
});
