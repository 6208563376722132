// SPDX-License-Identifier: Apache-2.0

import type { Instance, InstanceStatus, RerunCommand } from "@pawl/engine";
import type { StoredRow } from "@pawl/engine/testing";
import { workflowNameOf } from "./workflow/names.ts";
import { inputOf, type Program } from "./workflow/program.ts";
import type { Answer, World } from "./world/world.ts";

/** The tag that some instances have. */
export const lotTag = "lot";

/** An end that somebody was told of. */
export interface ToldEnd {
  readonly instanceId: string;
  readonly executionId: string;
  readonly status: string;
  readonly output: string | undefined;
  readonly completedAt: number | undefined;
}

/** What a start may have besides. */
export interface StartMore {
  readonly workflow?: string;
  readonly startAt?: number;
  readonly unique?: boolean;
}

/**
 * What callers do, each call checked at the moment when the engine answers it: what it rests on must
 * be on disk by then.
 */
export class Caller {
  readonly #world: World;
  readonly ends: ToldEnd[] = [];
  /** Ids that somebody has purged, ended or started anew, as far as callers know. */
  readonly meddled = new Set<string>();
  /** Ids whose whole trees were terminated, as far as callers know. */
  readonly endedTrees = new Set<string>();
  /** Ids that were purged and are not used again. */
  readonly purged = new Set<string>();
  /** The tags of each start that was tried. */
  readonly tagsOf = new Map<string, Record<string, string>[]>();
  #tokens = 0;
  calls = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Text that nothing else has. */
  token(kind: string): string {
    this.#tokens += 1;
    return `~${kind}${this.#tokens}~`;
  }

  /** Starts an instance. */
  start(
    instanceId: string,
    program: Program,
    more: StartMore = {},
  ): Promise<Answer<{ executionId: string }>> {
    const tags = this.#tags();
    this.tagsOf.set(instanceId, [...(this.tagsOf.get(instanceId) ?? []), tags]);
    const command = {
      workflow: more.workflow ?? workflowNameOf(program),
      instanceId,
      input: inputOf(program),
      tags,
      ...(more.startAt === undefined ? {} : { startAt: more.startAt }),
      ...(more.unique === true ? { enforceUniqueInstanceId: true } : {}),
    };
    const since = this.#world.scheduler.steps;
    return this.#call(
      `start ${instanceId}`,
      instanceId,
      (engine) => engine.start(command),
      (value) => this.#world.disk.hasToken(value.executionId) || this.#hasGoneOn(instanceId, since),
    );
  }

  /** Few different ones, so that instances share them. */
  #tags(): Record<string, string> {
    const { random } = this.#world;
    return random.chance(0.3) ? { [lotTag]: `lot${random.integer(1, 3)}` } : {};
  }

  /** Does an instance again from an event on. */
  rerun(
    instanceId: string,
    command: RerunCommand & { readonly newInstanceId: string },
  ): Promise<Answer<{ executionId: string }>> {
    const { newInstanceId } = command;
    return this.#call(
      `rerun ${instanceId} as ${newInstanceId}`,
      newInstanceId,
      (engine) => engine.rerun(instanceId, command),
      (value) => this.#world.disk.hasToken(value.executionId),
    );
  }

  /** Raises an event whose payload is a token. */
  raise(instanceId: string, name: string, text: string): Promise<Answer<void>> {
    const since = this.#world.scheduler.steps;
    return this.#call(
      `raise ${text} at ${instanceId}`,
      instanceId,
      (engine) => engine.raiseEvent(instanceId, name, text),
      () =>
        this.#world.disk.hasToken(text) ||
        this.#hadEnded(instanceId, since) ||
        this.#hasGoneOn(instanceId, since),
    );
  }

  /** Suspends, resumes or terminates an instance. */
  control(
    verb: "suspend" | "resume" | "terminate",
    instanceId: string,
    recursive = true,
  ): Promise<Answer<void>> {
    const since = this.#world.scheduler.steps;
    const token = this.token(verb);
    if (verb === "terminate") this.meddled.add(instanceId);
    return this.#call(
      `${verb} ${instanceId}`,
      instanceId,
      (engine) =>
        verb === "terminate"
          ? engine.terminate(instanceId, { output: token, recursive })
          : engine[verb](instanceId, token),
      () =>
        this.#world.disk.hasToken(token) ||
        this.#hadEnded(instanceId, since) ||
        this.#hasGoneOn(instanceId, since),
    );
  }

  /** Purges an instance. */
  purge(
    instanceId: string,
    options: { readonly recursive?: boolean; readonly force?: boolean } = {},
  ): Promise<Answer<number>> {
    const since = this.#world.scheduler.steps;
    this.meddled.add(instanceId);
    this.#world.hasPurged = true;
    return this.#call(
      `purge ${instanceId}`,
      instanceId,
      (engine) => engine.purge(instanceId, options),
      () =>
        this.#world.disk.rowsSince(instanceId, since).includes(undefined) ||
        this.#hasGoneOn(instanceId, since),
    );
  }

  /** Reads an instance. */
  get(instanceId: string): Promise<Answer<Instance | undefined>> {
    const since = this.#world.scheduler.steps;
    return this.#call(
      `get ${instanceId}`,
      instanceId,
      (engine) => engine.get(instanceId),
      (value) => this.#isDurable(instanceId, value, since),
    );
  }

  /** Lists what has a status: who had it all the while is among them, and nobody who never had it. */
  async list(status: InstanceStatus): Promise<void> {
    const { disk, scheduler } = this.#world;
    const since = scheduler.steps;
    const query = {
      statuses: [status],
      sortBy: "created",
      pageSize: 1000,
      payloads: false,
    } as const;
    this.calls += 1;
    await this.#world.call(
      `list ${status}`,
      (engine) => engine.list(query),
      (answer) => {
        if (answer.kind !== "value") return;
        const listed = new Set(answer.value.instances.map(({ instanceId }) => instanceId));
        for (const id of disk.ids()) {
          const rows = disk.rowsSince(id, since);
          const isListed = listed.has(id);
          if (rows.some((row) => (row?.status === status) === isListed)) continue;
          this.#world.violation(
            "lists are exact",
            `${status}: ${id} is ${isListed ? "" : "not "}there`,
          );
        }
      },
    );
  }

  /** Waits for the end of an instance. */
  async waitForEnd(instanceId: string): Promise<Answer<Instance>> {
    const since = this.#world.scheduler.steps;
    const answer = await this.#call(
      `wait for ${instanceId}`,
      instanceId,
      (engine) => engine.waitForCompletion(instanceId),
      (value) => this.#isDurable(instanceId, value, since),
    );
    return answer;
  }

  /** Repeats what may be repeated until it is answered. */
  async insist<T>(
    attempt: () => Promise<Answer<T>>,
  ): Promise<Exclude<Answer<T>, { kind: "unknown" }>> {
    // As clients do, each time a longer pause: a server that is away is not asked for nothing.
    for (let mostMs = 30; ; mostMs = Math.min(mostMs * 2, 500)) {
      const answer = await attempt();
      if (answer.kind !== "unknown") return answer;
      await this.pause(mostMs);
    }
  }

  /** Waits for up to so long. */
  pause(mostMs: number): Promise<void> {
    const { scheduler, random, outside } = this.#world;
    return scheduler.sleep(random.next() * mostMs, outside, "a caller goes on");
  }

  #call<T>(
    label: string,
    instanceId: string,
    send: (engine: NonNullable<World["life"]["engine"]>) => Promise<T>,
    isDurable: (value: T) => boolean,
  ): Promise<Answer<T>> {
    this.calls += 1;
    const since = this.#world.scheduler.steps;
    return this.#world.call(label, send, (answer) => {
      if (answer.kind === "refused") this.#checkRefusal(label, instanceId, answer.code, since);
      else if (answer.kind === "value" && !isDurable(answer.value)) {
        this.#world.violation("acknowledged means durable", `${label} is not on disk`);
      }
    });
  }

  /** A refusal, too, rests on what was on disk at some moment of the call. */
  #checkRefusal(label: string, instanceId: string, code: string, since: number): void {
    const rows = this.#world.disk.rowsSince(instanceId, since);
    const isTrue =
      code === "INSTANCE_NOT_FOUND"
        ? rows.includes(undefined)
        : code !== "INSTANCE_EXISTS" || rows.some((row) => row !== undefined);
    if (!isTrue) this.#world.violation("refusals rest on what is durable", `${label}: ${code}`);
  }

  /** The instance had ended, was gone or was another one at some moment since: commands then do nothing. */
  #hadEnded(instanceId: string, since: number): boolean {
    const rows = this.#world.disk.rowsSince(instanceId, since);
    return rows.some((row) => row === undefined || row.completedAt > 0);
  }

  /**
   * Another execution was begun since, and what the one before took has gone with its history; or
   * the instance was purged in the commit that would have held it.
   */
  #hasGoneOn(instanceId: string, since: number): boolean {
    const rows = this.#world.disk.rowsSince(instanceId, since);
    if (rows.length > 1 && rows.at(-1) === undefined) return true;
    return rows.some((row) => row !== undefined && row.executionId !== rows[0]?.executionId);
  }

  /** What a caller sees of an instance was on disk at some moment of the call. */
  #isDurable(instanceId: string, seen: Instance | undefined, since: number): boolean {
    const rows = this.#world.disk.rowsSince(instanceId, since);
    if (seen?.completedAt !== undefined) {
      const { executionId, status, output, completedAt } = seen;
      this.ends.push({ instanceId, executionId, status, output, completedAt });
    }
    return rows.some((row) => isSame(row, seen));
  }
}

function isSame(row: StoredRow | undefined, seen: Instance | undefined): boolean {
  if (row === undefined || seen === undefined) return row === seen;
  return (
    row.executionId === seen.executionId &&
    row.status === seen.status &&
    row.eventCount === seen.historyLength
  );
}
