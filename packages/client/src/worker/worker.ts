// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createDeferred } from "../async/deferred.js";
import type { Logger } from "../authoring.js";
import { createConnection } from "../connection.js";
import {
  type ResolvedWorkerOptions,
  resolveWorkerOptions,
  type WorkerOptions,
} from "../options.js";
import { reconnectMs } from "./backoff.js";
import type { Announcement, WorkChannel, WorkLink } from "./link/work.js";
import { createRegistry, type Registry } from "./registry.js";
import { Session } from "./session.js";

/** After a connection that lasted this long, the next one is tried without much delay. */
const steadyMs = 10_000;

/** Runs workflows and activities for one engine. Made by `createWorker`. */
export interface Worker {
  /**
   * Connects; resolves when the engine has taken the worker. Tries for ever. From now on the worker
   * keeps the process alive, until it is stopped.
   */
  start(): Promise<void>;
  /** Connects and works; resolves when the worker has stopped. */
  run(): Promise<void>;
  /**
   * Takes nothing more, finishes what was begun, for at most `stopGraceMs`, hands back the rest.
   * May be called twice.
   */
  stop(): Promise<void>;
}

/**
 * Makes a worker of definitions. While it runs workflows, the process has a listener for
 * `unhandledRejection`: a promise of a workflow's code that nobody awaits yet is logged; what is
 * not a workflow's ends the process, as it would without the listener.
 * @throws INVALID_ARGUMENT when two definitions are of one name, or of one version of a workflow, or
 * when it is not said which version is the latest
 */
export function createWorker(options: WorkerOptions): Worker {
  const resolved = resolveWorkerOptions(options, `${hostname()}:${process.pid}`);
  const registry = createRegistry(resolved.workflows, resolved.activities);
  const { client, ...way } = options;
  const connection = client?.connection ?? createConnection(way);
  return new ReconnectingWorker(resolved, registry, connection.createWorkLink(), () => {
    if (client === undefined) connection.close();
  });
}

class ReconnectingWorker implements Worker {
  readonly #options: ResolvedWorkerOptions;
  readonly #registry: Registry;
  readonly #link: WorkLink;
  readonly #disconnect: () => void;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #connected = createDeferred();
  #isStopping = false;
  #serving: Promise<void> | undefined;
  #session: Session | undefined;
  #channel: WorkChannel | undefined;

  constructor(
    options: ResolvedWorkerOptions,
    registry: Registry,
    link: WorkLink,
    disconnect: () => void,
  ) {
    this.#options = options;
    this.#registry = registry;
    this.#link = link;
    this.#disconnect = disconnect;
    this.#logger = options.logger;
  }

  async start(): Promise<void> {
    this.#serving ??= this.#serve();
    await this.#connected.promise;
  }

  async run(): Promise<void> {
    this.#serving ??= this.#serve();
    await this.#serving;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#session?.drain(this.#options.stopGraceMs);
    await this.#channel?.close();
    this.#stopping.abort();
    await this.#serving;
    this.#disconnect();
  }

  async #serve(): Promise<void> {
    for (let failures = 0; !this.#isStopping; failures += 1) {
      if (failures > 0) await this.#pause(reconnectMs(failures, Math.random()));
      if (this.#isStopping) break;
      const session = new Session({ ...this.#options, registry: this.#registry });
      const openedAt = performance.now();
      this.#session = session;
      try {
        this.#channel = await this.#link.open(this.#announcement(), session, this.#stopping.signal);
        session.attach(this.#channel);
        this.#connected.resolve();
        await this.#channel.closed;
        if (!this.#isStopping) this.#logger.warn({}, "the server ended the stream; reconnecting");
      } catch (error) {
        if (!this.#isStopping) this.#logger.warn({ error }, "no connection; reconnecting");
      } finally {
        this.#channel = undefined;
        session.abort();
        if (performance.now() - openedAt > steadyMs) failures = 0;
      }
    }
    this.#connected.resolve();
  }

  async #pause(waitMs: number): Promise<void> {
    await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  #announcement(): Announcement {
    const { name, turnLimit, activityLimit } = this.#options;
    return {
      name,
      workflows: [...this.#registry.workflows.keys()],
      activities: [...this.#registry.activities.keys()],
      turnLimit,
      activityLimit,
    };
  }
}
