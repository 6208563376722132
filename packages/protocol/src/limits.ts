// SPDX-License-Identifier: Apache-2.0

/** Every fixed limit of Pawl, by name. The docs state the same figures. */
export const limits = {
  /** Bytes of an instance id. */
  instanceIdBytes: 512,
  /** Characters of an instance id over REST and the Dapr service (Dapr's own rule). */
  restInstanceIdBytes: 64,
  /** Bytes of a workflow, activity or event name. */
  nameBytes: 256,
  /**
   * Bytes of one payload (input, output, event). Below the 4 MiB that every gRPC client takes in one
   * message by default, with room for the envelope.
   */
  payloadBytes: 3_670_016,
  /** Bytes of one request body. */
  requestBytes: 4 * 1024 * 1024,
  /**
   * Messages of which one request may consist, those within others and unknown fields counted in: several times
   * what the actions of a turn are. Each takes some 100 bytes of memory once it is decoded.
   */
  requestMessages: 1_000_000,
  /** Calls of one stream of calls (`pawl.v1.CallService`) that are under way at once. */
  callsPerStream: 10_000,
  /** Calls of all such streams of a server that are under way at once. */
  streamedCalls: 250_000,
  /**
   * Bytes of the calls of Dapr's API that wait in a server with `--strict-dapr`, for a worker or to be tried
   * again: the payload of each, and 4 KiB.
   */
  heldBytes: 268_435_456,
  /**
   * Bytes of one turn (history and new events) sent to a worker that takes no more than 4 MiB: 95 %
   * of it, as Dapr does (engine semantics 10.4).
   */
  sidecarTurnBytes: 3_984_588,
  /** Entries of a server's metadata, and bytes of all of them together. */
  metadataEntries: 1000,
  metadataBytes: 67_108_864,
  /** Pairs of tags of one instance. */
  tags: 64,
  /** Bytes of a tag's key and of its value. */
  tagKeyBytes: 256,
  tagValueBytes: 1024,
  /** Instances of one page of a list. */
  listPage: 1000,
  /**
   * Bytes of payloads on one page of a list, unless its first instance alone has more. With all else on
   * the page below the 4 MiB that every gRPC client takes in one message by default.
   */
  pagePayloadBytes: 3 * 1024 * 1024,
  /** Levels of a condition of a filter, conditions in all of them, and values that they compare with. */
  conditionDepth: 16,
  conditions: 256,
  conditionValues: 1024,
  /** Batches that are at work at once. */
  batches: 16,
  /** Batches that have ended and can still be read: the newest ones. */
  endedBatches: 100,
  /** Failures that a batch tells of: the first ones. */
  batchFailures: 10,
  /** Inbox events that one turn takes; the rest waits for the next turn. */
  turnEvents: 1000,
  /** Events that may wait for the turns of one instance. */
  inboxEvents: 100_000,
  /** Events of one history, unless the engine is told otherwise. */
  historyEvents: 1_000_000,
  /** Bytes of one history, unless the engine is told otherwise. */
  historyBytes: 268_435_456,
  /** Actions of one turn. */
  turnActions: 100_000,
} as const;
