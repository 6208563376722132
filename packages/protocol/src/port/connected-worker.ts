// SPDX-License-Identifier: Apache-2.0

/**
 * What kind of worker it is. "embedded": in the engine's process. "pawl": Pawl's, over the network.
 * "durable-task": one of the SDKs of Dapr or Durable Task.
 */
export type WorkerKind = "embedded" | "pawl" | "durable-task";

/** Work of one sort that a worker has. */
export interface WorkLoad {
  /** What it is at now. */
  readonly count: number;
  /** What it takes at once, at most. */
  readonly limit: number;
}

/** A connected worker, as seen at one moment. */
export interface ConnectedWorker {
  /** The engine's name for it; another one each time it connects. */
  readonly workerId: string;
  /** What it calls itself; may be empty, and several may have the same. */
  readonly name: string;
  readonly kind: WorkerKind;
  /** How it is connected: "grpc", "grpc-web" or "connect". Absent for one in the engine's process. */
  readonly protocol?: string;
  /** Milliseconds since 1970 (UTC). */
  readonly connectedAt: number;
  /** Names of its workflows; absent: it is offered every workflow. */
  readonly workflows?: readonly string[];
  /** Names of its activities; absent: it is offered every activity. */
  readonly activities?: readonly string[];
  readonly turnLoad: WorkLoad;
  readonly activityLoad: WorkLoad;
  /** Instances that it holds between turns. */
  readonly cachedCount: number;
}
