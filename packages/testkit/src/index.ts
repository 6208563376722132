// SPDX-License-Identifier: Apache-2.0

// The environment.
export {
  createTestEnvironment,
  type TestClock,
  type TestEnvironment,
  type TestEnvironmentOptions,
} from "./environment.js";
export type { ActivityCall, ActivityCode, Replacements } from "./activity-recorder.js";

// Histories by hand.
export { HistoryBuilder } from "./history-builder.js";
