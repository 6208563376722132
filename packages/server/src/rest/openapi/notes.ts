// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { waitLimitSeconds } from "../early/prefer.js";
import type { SchemaName } from "./schemas.js";

/** What an answer's body is: JSON of a schema, a workflow's output, server-sent events, an OpenAPI document, or nothing. */
export type AnswerKind = SchemaName | "output" | "events" | "document" | "nothing";

/** A query parameter: what it means, and what it is if it is no text. */
export type QueryNote = string | { readonly description: string; readonly schema: object };

/** What the OpenAPI document says of one route beside its method and path. */
export interface RouteNote {
  readonly summary: string;
  /** Query parameters and what they mean. */
  readonly query?: Readonly<Record<string, QueryNote>>;
  /** Request headers and what they mean. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the body of the request is: anything, or JSON of a schema. */
  readonly body?: string | { readonly description: string; readonly schema: SchemaName };
  /** Status, and what its body is: one thing, or one of several. */
  readonly answers: Readonly<Record<number, AnswerKind | readonly AnswerKind[]>>;
}

const appId = { appID: "Checked and otherwise ignored." };
const startHeaders = {
  prefer: `\`wait=SECONDS\`: answer with the output when the workflow ends in that time (at most ${waitLimitSeconds}).`,
  "dapr-workflow-metadata": "`key=value` pairs that become the instance's tags.",
  traceparent: "The caller's W3C trace context, and `tracestate`.",
};
const resume = { "last-event-id": "Id of the last event that was seen: go on after it." };
const flag = { type: "boolean" } as const;
const done = { 202: "Done" } as const;

/** By method and path, the prefix left out. */
export const notes: Readonly<Record<string, RouteNote>> = {
  "POST /workflows/{workflowComponent}/{workflowName}/start": {
    summary:
      "Starts an instance. After a component: of the workflow that follows it. Else: the first segment names the workflow, the second the instance.",
    query: { instanceID: "Id of the new instance. Default: a random UUID.", ...appId },
    headers: startHeaders,
    body: "The input, as it is; workers read it as JSON.",
    answers: { 200: "output", 202: "Started", 409: "Error" },
  },
  "GET /workflows/{workflowComponent}/{instanceID}": {
    summary: "Reads an instance.",
    query: appId,
    answers: { 200: "Instance", 404: "Error" },
  },
  "POST /workflows/{workflowComponent}/{instanceID}/raiseEvent/{eventName}": {
    summary: "Delivers an event.",
    query: appId,
    body: "The payload, as it is.",
    answers: done,
  },
  "POST /workflows/{workflowComponent}/{instanceID}/raiseEvent": {
    summary: "Delivers an event whose name is a query parameter or the type of a CloudEvent.",
    query: { eventName: "Name of the event." },
    headers: { "ce-type": "Name of the event, as of a CloudEvent in binary mode." },
    body: "The payload, or a CloudEvent in structured mode.",
    answers: { ...done, 404: "Error" },
  },
  "POST /workflows/{workflowComponent}/{instanceID}/terminate": {
    summary: "Ends an instance and its child workflows.",
    query: appId,
    body: "With a workflow's name first: the output.",
    answers: { ...done, 404: "Error" },
  },
  "POST /workflows/{workflowComponent}/{instanceID}/pause": {
    summary: "Suspends an instance.",
    query: appId,
    answers: done,
  },
  "POST /workflows/{workflowComponent}/{instanceID}/suspend": {
    summary: "Suspends an instance.",
    answers: { ...done, 404: "Error" },
  },
  "POST /workflows/{workflowComponent}/{instanceID}/resume": {
    summary: "Lets a suspended instance go on.",
    query: appId,
    answers: done,
  },
  "POST /workflows/{workflowComponent}/{instanceID}/purge": {
    summary: "Deletes an instance that has ended, and its child workflows.",
    query: appId,
    answers: { ...done, 404: "Error" },
  },
  "DELETE /workflows/{workflowComponent}/{instanceID}": {
    summary: "Deletes an instance that has ended, and its child workflows.",
    answers: { 200: "Done", 404: "Error", 409: "Error" },
  },
  "GET /workflows/{workflowComponent}": {
    summary: "Lists instances a page at a time, or watches them.",
    query: {
      status: {
        description: "Only these statuses; may be repeated.",
        schema: { type: "array", items: { type: "string" } },
      },
      workflow: "Only instances of this workflow.",
      idPrefix: "Only instances whose id begins with this.",
      filter: "Only instances that this filter, in JSON, lets through: as in a query.",
      pageSize: {
        description: `At most ${limits.listPage}.`,
        schema: { type: "integer", minimum: 0, maximum: limits.listPage, default: 100 },
      },
      pageToken: "`nextPageToken` of the page before.",
      payloads: { description: "With inputs and outputs.", schema: flag },
      watch: { description: "A stream of changes instead of a page.", schema: flag },
      existing: { description: "With `watch`: send first what there is.", schema: flag },
      resumeToken: "With `watch`: as the header last-event-id.",
    },
    headers: resume,
    answers: { 200: ["Page", "events"], 400: "Error" },
  },
  "POST /workflows/{workflowComponent}/query": {
    summary: "Finds instances by a filter in the grammar of Dapr's state query.",
    body: {
      description:
        "`filter` has one of EQ, NEQ, GT, GTE, LT, LTE and IN with a field, or AND or OR with filters.",
      schema: "Query",
    },
    answers: { 200: "Found", 400: "Error" },
  },
  "GET /workflows/{workflowComponent}/{instanceID}/history": {
    summary: "Reads the history of the present execution.",
    answers: { 200: "History", 404: "Error" },
  },
  "GET /workflows/{workflowComponent}/{instanceID}/explain": {
    summary: "Says why an instance does not move: all that it waits for.",
    answers: { 200: "Explanation", 404: "Error" },
  },
  "POST /workflows/{workflowComponent}/{instanceID}/rerun": {
    summary: "Starts a new instance with the history of an ended one up to an event, done again.",
    body: {
      description: "`input` is what the activity or child of the event gets.",
      schema: "Rerun",
    },
    answers: { 202: "Started", 400: "Error", 404: "Error", 409: "Error" },
  },
  "GET /workers": {
    summary: "Lists the workers that are connected.",
    answers: { 200: "Workers" },
  },
  "GET /workflows/{workflowComponent}/{instanceID}/wait": {
    summary: "Answers when the instance has ended, or the time is up (202).",
    query: {
      timeout: {
        description: "Seconds.",
        schema: { type: "number", minimum: 0, maximum: waitLimitSeconds, default: 30 },
      },
    },
    answers: { 200: "Instance", 202: "Instance", 404: "Error" },
  },
  "GET /workflows/{workflowComponent}/{instanceID}/watch": {
    summary: "Streams the states of an instance until its end.",
    query: {
      history: {
        description: "With the history events that each state adds.",
        schema: flag,
      },
      resumeToken: "As the header last-event-id.",
    },
    headers: resume,
    answers: { 200: "events", 404: "Error" },
  },
  "GET /healthz": {
    summary: "Whether the server takes commands.",
    answers: { 204: "nothing", 500: "Error" },
  },
  "GET /healthz/outbound": {
    summary: "Whether the server takes commands.",
    answers: { 204: "nothing", 500: "Error" },
  },
  "GET /metadata": { summary: "What the server is.", answers: { 200: "Metadata" } },
  "PUT /metadata/{key}": {
    summary: "Sets an entry of the metadata.",
    body: "The value.",
    answers: { 204: "nothing", 400: "Error" },
  },
  "GET /openapi.json": { summary: "This document.", answers: { 200: "document" } },
};
