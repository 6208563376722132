// SPDX-License-Identifier: Apache-2.0

// The Durable Task sidecar service and its messages.
export * from "./gen/durabletask/orchestrator_service_pb.js";
