// SPDX-License-Identifier: Apache-2.0

// gRPC health and reflection: the messages of version 1, and the file of the older reflection.
export * from "./gen/grpc/health/v1/health_pb.js";
export * from "./gen/grpc/reflection/v1/reflection_pb.js";
export { file_grpc_reflection_v1alpha_reflection } from "./gen/grpc/reflection/v1alpha/reflection_pb.js";
