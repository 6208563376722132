// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { CallRequestSchema, CallService, toEnvelope, WorkflowService } from "@pawl/protocol";
import fc from "fast-check";
import type { Call } from "../http2-caller.ts";
import { hostileText } from "./text.ts";
import { flipped, requestBytes } from "./wire.ts";

/** The path of the stream of calls. */
export const streamedPath = `/${CallService.typeName}/${CallService.method.call.name}`;

const methodName = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      ...WorkflowService.methods.map(({ name }) => `${WorkflowService.typeName}/${name}`),
    ),
  },
  { weight: 1, arbitrary: hostileText.map((text) => `pawl.v1.${text}`) },
  { weight: 1, arbitrary: hostileText },
);

// Few numbers, so that some come twice.
const number = fc.oneof(fc.nat(12), fc.constantFrom(0xffff_ffff));

const message: fc.Arbitrary<Uint8Array> = fc
  .record({
    calls: fc.array(
      fc.record({
        number,
        method: methodName,
        request: requestBytes,
        timeoutMs: fc.constantFrom(1, 20, 0xffff_ffff, 0),
      }),
      { maxLength: 4 },
    ),
    cancelledNumbers: fc.array(number, { maxLength: 3 }),
  })
  .map((request) => toBinary(CallRequestSchema, create(CallRequestSchema, request)));

const frame = fc
  .oneof({ weight: 8, arbitrary: message }, { weight: 1, arbitrary: flipped(message) })
  .map(toEnvelope);

/** Streams of calls whose methods, requests and numbers are, nearly are, or are not what they should be. */
export const streamedCalls: fc.Arbitrary<Call> = fc
  .array(frame, { minLength: 1, maxLength: 3 })
  .map((frames) => ({
    method: "POST",
    path: streamedPath,
    headers: { "content-type": "application/grpc", te: "trailers", "grpc-timeout": "100m" },
    body: Buffer.concat(frames),
  }));
