// SPDX-License-Identifier: Apache-2.0

import { parsePayload } from "./payload.js";
import type { InstanceRecord } from "./port.js";

/** One instance as seen at one moment. Instants are in milliseconds since 1970 (UTC). */
export interface Instance extends Omit<InstanceRecord, "input" | "output" | "customStatus"> {
  /** `undefined` when there is none, or payloads were not asked for. */
  readonly input: unknown;
  /** `undefined` when there is none, or payloads were not asked for. */
  readonly output: unknown;
  /** What the workflow last set; `undefined` when it set none. */
  readonly customStatus: unknown;
}

/** Reads the payloads of an instance. */
export function toInstance(record: InstanceRecord): Instance {
  return {
    ...record,
    input: parsePayload(record.input),
    output: parsePayload(record.output),
    customStatus: parsePayload(record.customStatus),
  };
}
