// SPDX-License-Identifier: Apache-2.0

import type { EngineSettings } from "@pawl/engine";

/** Settings where what `over` says goes before, field by field and name by name. */
export function mergeSettings(under: EngineSettings, over: EngineSettings): EngineSettings {
  const { turnsOf, activitiesOf, ...concurrency } = { ...under.concurrency, ...over.concurrency };
  const retention = { ...under.retention, ...over.retention };
  return {
    ...under,
    ...over,
    concurrency: {
      ...concurrency,
      turnsOf: { ...under.concurrency?.turnsOf, ...turnsOf },
      activitiesOf: { ...under.concurrency?.activitiesOf, ...activitiesOf },
    },
    retention: {
      ...retention,
      byWorkflow: { ...under.retention?.byWorkflow, ...over.retention?.byWorkflow },
    },
  };
}
