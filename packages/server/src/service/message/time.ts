// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { toTimestamp } from "@pawl/protocol";

/** The first millisecond that a timestamp cannot say (timestamp.proto: it ends with the year 9999). */
const endOfTime = 253_402_300_800_000;

/**
 * An instant that a caller or worker gave, as a timestamp. What is later than any, as a wait without a
 * limit, is the last one: JSON has no other, and one such instant would refuse the whole message.
 */
export function toTime(at: number): MessageInitShape<typeof TimestampSchema> {
  return at < endOfTime ? toTimestamp(at) : { seconds: 253_402_300_799n, nanos: 999_999_999 };
}
