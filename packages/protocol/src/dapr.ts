// SPDX-License-Identifier: Apache-2.0

// The workflow part of the Dapr service and its messages.
export * from "./gen/dapr/proto/runtime/v1/dapr_pb.js";
export * from "./gen/dapr/proto/runtime/v1/workflow_pb.js";
