// SPDX-License-Identifier: Apache-2.0

export { createWorker, type Worker } from "./worker.js";
