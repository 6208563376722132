// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { rerunRequest } from "../instance/rerun.js";
import { queryRequest } from "../query/query.js";

const text = { type: "string" } as const;
const time = { type: "string", format: "date-time" } as const;

const list = (description: string) =>
  ({ type: "array", description, items: { type: "object" } }) as const;

/** What bodies look like, as JSON Schema (2020-12), by the names that routes refer to. */
export const schemas = {
  Error: {
    type: "object",
    description: "A failure: a stable code, and a message for people.",
    required: ["errorCode", "message"],
    properties: { errorCode: text, message: text },
  },
  Query: z.toJSONSchema(queryRequest),
  Rerun: z.toJSONSchema(rerunRequest),
  Started: {
    type: "object",
    required: ["instanceID"],
    properties: { instanceID: text },
  },
  Done: { type: "object", description: "The command is on disk." },
  Instance: {
    type: "object",
    required: ["instanceID", "createdAt", "lastUpdatedAt", "runtimeStatus"],
    properties: {
      instanceID: text,
      workflowName: text,
      createdAt: time,
      lastUpdatedAt: time,
      startTime: time,
      completionTime: time,
      runtimeStatus: {
        enum: [
          "PENDING",
          "RUNNING",
          "SUSPENDED",
          "STALLED",
          "COMPLETED",
          "FAILED",
          "TERMINATED",
          "UNKNOWN",
        ],
      },
      properties: {
        type: "object",
        description: "Payloads as the text that they are, under dapr.workflow.… keys.",
        additionalProperties: text,
      },
      customStatus: { description: "What the workflow last set." },
      stallReason: text,
      metadata: { type: "object", additionalProperties: text },
    },
  },
  Page: {
    type: "object",
    required: ["instances"],
    properties: {
      instances: { type: "array", items: { $ref: "#/components/schemas/Instance" } },
      nextPageToken: text,
    },
  },
  Found: {
    type: "object",
    required: ["results"],
    properties: {
      results: {
        type: "array",
        items: {
          type: "object",
          required: ["key", "data"],
          properties: { key: text, data: { $ref: "#/components/schemas/Instance" } },
        },
      },
      token: text,
    },
  },
  Explanation: {
    type: "object",
    required: ["summary", "turn", "activities", "timers", "children", "inbox"],
    properties: {
      summary: { ...text, description: "One sentence for people." },
      damage: { ...text, description: "What is damaged." },
      suspendedAt: time,
      turn: {
        type: "object",
        description: "Who has its turn, or what it waits for, and turns that came to nothing.",
      },
      activities: list("Activities without a result, with their worker or what they wait for."),
      timers: list("Timers that have not fired, and waits for events."),
      children: list("Child workflows without a result."),
      inbox: list("Accepted events that no turn has taken."),
      instance: { $ref: "#/components/schemas/Instance" },
    },
  },
  Workers: {
    type: "object",
    required: ["workers"],
    properties: {
      workers: list("What each calls itself, runs and has; without a list of names: any."),
    },
  },
  History: {
    type: "object",
    required: ["events"],
    properties: {
      events: {
        type: "array",
        description: "Durable Task history events in protobuf's JSON.",
        items: { type: "object" },
      },
    },
  },
  Metadata: {
    type: "object",
    description: "The server, its workers and the entries of callers.",
    required: ["id", "runtimeVersion", "extended"],
    properties: {
      id: text,
      runtimeVersion: { ...text, description: "Of Dapr's API that is spoken." },
      extended: { type: "object", additionalProperties: text },
      components: list("Those that are served, when there are several."),
      workflows: { type: "object", properties: { connectedWorkers: { type: "integer" } } },
    },
  },
} as const;

/** The name of a schema. */
export type SchemaName = keyof typeof schemas;
