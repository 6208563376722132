// SPDX-License-Identifier: Apache-2.0

// What the engine keeps on disk. Internal to @pawl/engine.
export { encodeInstanceRow, type RowFields } from "./encode-row.js";
export * from "./gen/pawl/store/v1/store_pb.js";
