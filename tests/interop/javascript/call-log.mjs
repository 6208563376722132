// SPDX-License-Identifier: Apache-2.0

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "./waiting.mjs";

/**
 * One start of an activity, as the worker process saw it.
 *
 * @typedef {object} Call
 * @property {string} activity
 * @property {string} instanceId
 * @property {unknown} input
 * @property {number} pid
 * @property {number} atMs
 */

/** The record of every activity call: a file that several worker processes may append to. */
export class CallLog {
  /** @type {string} */
  #path;

  /** @param {string} stateDir */
  constructor(stateDir) {
    this.#path = join(stateDir, "calls.jsonl");
  }

  /**
   * @param {string} activity
   * @param {string} instanceId
   * @param {unknown} input
   */
  append(activity, instanceId, input) {
    /** @type {Call} */
    const call = { activity, instanceId, input, pid: process.pid, atMs: Date.now() };
    // One write in append mode: a process that is killed right after it leaves a whole line.
    appendFileSync(this.#path, `${JSON.stringify(call)}\n`);
  }

  /**
   * The calls made for one instance, oldest first; of one activity when it is named.
   *
   * @param {string} instanceId
   * @param {string} [activity]
   * @returns {Call[]}
   */
  of(instanceId, activity) {
    if (!existsSync(this.#path)) {
      return [];
    }
    return readFileSync(this.#path, "utf8")
      .split("\n")
      .slice(0, -1) // What follows the last line's end: a write may be under way.
      .map((line) => /** @type {Call} */ (JSON.parse(line)))
      .filter((call) => call.instanceId === instanceId)
      .filter((call) => activity === undefined || call.activity === activity);
  }

  /**
   * Resolves once the activity was called for the instance.
   *
   * @param {string} instanceId
   * @param {string} activity
   */
  async waitFor(instanceId, activity) {
    await waitUntil(
      () => this.of(instanceId, activity).length > 0,
      `a call of ${activity} for ${instanceId}`,
    );
  }
}
