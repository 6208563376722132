// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../../dapr/error.js";
import { memberText } from "../exact-json.js";
import { malformedBody } from "../malformed.js";
import type { RestCall } from "../router.js";
import { decodePayload } from "./payload.js";

/** An event to raise. */
export interface EarlyEvent {
  readonly name: string;
  /** Absent when there is none. */
  readonly data: string | undefined;
}

/**
 * The event of a request whose path does not name it. The name is `?eventName=`, or else the type of
 * a CloudEvent, in structured mode (the body is its JSON) or in binary mode (header `ce-type`). The
 * payload is the body as it is, or the data of a structured CloudEvent.
 * @throws ERR_WORKFLOW_EVENT_NAME_MISSING, ERR_MALFORMED_REQUEST
 */
export function parseEvent(
  call: Pick<RestCall, "query"> & { readonly request: Pick<RestCall["request"], "headers"> },
  body: Uint8Array,
): EarlyEvent {
  const { headers } = call.request;
  const type = mediaTypeOf(headers["content-type"]);
  if (type === "application/cloudevents-batch+json") {
    throw malformedBody("a batch of CloudEvents is not taken; send them one by one");
  }
  const event = type === "application/cloudevents+json" ? parseCloudEvent(body) : undefined;
  const header = headers["ce-type"];
  const name =
    call.query.get("eventName") ||
    event?.type ||
    decodeType(typeof header === "string" ? header : "");
  if (name === "") {
    throw DaprError.of(
      "ERR_WORKFLOW_EVENT_NAME_MISSING",
      "missing workflow event name: give it as ?eventName=NAME, or send a CloudEvent, whose type is the name",
    );
  }
  return { name, data: event === undefined ? decodePayload(body) : event.data };
}

function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(";", 1)[0]?.trim().toLowerCase();
}

/** The type (empty when there is none) and the data of a CloudEvent in its JSON format. */
function parseCloudEvent(body: Uint8Array): { type: string; data: string | undefined } {
  const text = decodePayload(body) ?? "";
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    throw malformedBody(error);
  }
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw malformedBody("a CloudEvent is a JSON object");
  }
  const attributes = new Map<string, unknown>(Object.entries(event));
  const type = attributes.get("type") ?? "";
  if (typeof type !== "string") {
    throw malformedBody('"type" must be a string');
  }
  return { type, data: dataOf(attributes, text) };
}

function dataOf(attributes: ReadonlyMap<string, unknown>, text: string): string | undefined {
  const encoded = attributes.get("data_base64");
  if (encoded !== undefined) {
    if (attributes.has("data")) {
      throw malformedBody('a CloudEvent has "data" or "data_base64", not both');
    }
    const bytes = Buffer.from(typeof encoded === "string" ? encoded : "", "base64");
    // Node leaves out what is no base64, which would lose a part of the payload in silence.
    if (bytes.toString("base64") !== encoded) {
      throw malformedBody('"data_base64" must be base64 text');
    }
    return decodePayload(bytes);
  }
  return memberText(text, "data");
}

/** CloudEvents' HTTP binding escapes what a header cannot hold as `%XX`. */
function decodeType(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    throw DaprError.of(
      "ERR_MALFORMED_REQUEST",
      'the header ce-type has a bad escape; write "%" as "%25"',
    );
  }
}
