// SPDX-License-Identifier: Apache-2.0

// Services: what a generated client needs.
export { WorkflowService } from "./gen/pawl/v1/workflow_service_pb.js";
export { AdminService } from "./gen/pawl/v1/admin_service_pb.js";
export { BatchService } from "./gen/pawl/v1/batch_service_pb.js";
export { CallService } from "./gen/pawl/v1/call_service_pb.js";
export { WorkerService } from "./gen/pawl/v1/worker_service_pb.js";
export { TaskHubSidecarService } from "./gen/durabletask/orchestrator_service_pb.js";
export { Dapr } from "./gen/dapr/proto/runtime/v1/dapr_pb.js";
export { Health } from "./gen/grpc/health/v1/health_pb.js";
export { ServerReflection } from "./gen/grpc/reflection/v1/reflection_pb.js";
export { ServerReflection as ServerReflectionAlpha } from "./gen/grpc/reflection/v1alpha/reflection_pb.js";

// Errors and limits.
export { type ErrorCode, errorCodes } from "./error-code.js";
export { limits } from "./limits.js";

// History.
export { decodeFrames, EventRecord, encodeFrames, skipFrames } from "./event-record.js";
export {
  fromTimestamp,
  type HistoryEventType,
  historyEvent,
  nearestTimestamp,
  toNearestTimestamp,
  toTimestamp,
} from "./history.js";

// Messages that are written by hand.
export {
  int32 as writeInt32,
  open as openMessage,
  text as writeText,
} from "./write/field-writer.js";
export { wrapped as writeWrapped } from "./write/message-writer.js";
export { ByteWriter } from "./write/byte-writer.js";
export { encodeWith } from "./write/shared-writer.js";

// gRPC.
export { envelopePrefixBytes, toEnvelope } from "./envelope.js";

// Time.
export { longestTimerMs, setAlarm } from "./alarm.js";

// Memory.
export { TurnoverMap } from "./turnover/turnover-map.js";
export { TurnoverSet } from "./turnover/turnover-set.js";

// Messages of pawl.v1.
export * from "./gen/pawl/v1/admin_service_pb.js";
export * from "./gen/pawl/v1/instance_pb.js";
export * from "./gen/pawl/v1/batch_service_pb.js";
export * from "./gen/pawl/v1/condition_pb.js";
export * from "./gen/pawl/v1/call_service_pb.js";
export * from "./gen/pawl/v1/connected_worker_pb.js";
export * from "./gen/pawl/v1/explanation_pb.js";
export * from "./gen/pawl/v1/query_pb.js";
export * from "./gen/pawl/v1/worker_service_pb.js";
export * from "./gen/pawl/v1/workflow_service_pb.js";

// History events and actions, in Durable Task's form. The messages of the sidecar service are in
// "@pawl/protocol/task-hub", those of the Dapr service in "@pawl/protocol/dapr".
export * from "./gen/durabletask/history_events_pb.js";
export * from "./gen/durabletask/orchestration_pb.js";
export * from "./gen/durabletask/orchestrator_actions_pb.js";
