// SPDX-License-Identifier: Apache-2.0

// What both ends of pawl.v1 translate, between its messages and the shapes of the ports.

export { fromConditionMessage, type Refuse, toConditionMessage } from "./condition.js";
export { fromFilterMessage, toFilterMessage } from "./filter.js";
export { instanceStatuses, statusNumbers, statusOf } from "./status.js";
