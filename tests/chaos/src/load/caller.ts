// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { type Client, type Instance, isPawlError, type PawlError } from "@pawl/client";
import { ErrorDetailSchema } from "@pawl/protocol";
import { type Entry, type Ledger, type SeenEnd, type Sender, withDescendants } from "./ledger.ts";

/** Between two attempts to purge an instance whose children have not ended yet. */
const purgePauseMs = 20;

/** The scenario cannot go on: a wrong answer was noted, or the run is over. */
export class ScenarioEnded extends Error {}

/** How an instance is started. */
export interface HowToStart {
  /** Instant before which its first turn does not run. */
  readonly startAt?: number;
  /** It may take the place of an ended instance. */
  readonly replace?: boolean;
}

/** What came of a call: its answer, and how many calls broke before it. */
interface Answered<T> {
  readonly value: T | undefined;
  /** Set when the answer is an error. */
  readonly error: PawlError | undefined;
  readonly broken: number;
}

/**
 * A caller that asks again when a call breaks, and writes into the ledger what was acknowledged. A
 * call that broke has no answer: it may have been carried out or not.
 */
export class Caller {
  readonly #client: Client;
  readonly #ledger: Ledger;
  readonly #signal: AbortSignal;

  constructor(client: Client, ledger: Ledger, signal: AbortSignal) {
    this.#client = client;
    this.#ledger = ledger;
    this.#signal = signal;
  }

  /** Starts an instance, as often as it takes. `brokenBefore`: calls that broke already. */
  async start(entry: Entry, how: HowToStart = {}, brokenBefore = 0): Promise<void> {
    this.#ledger.add(entry);
    entry.start = "asked";
    const { error, broken } = await this.#untilAnswered(() => this.#start(entry, how));
    // A broken call may have started it.
    const mayExist = broken + brokenBefore > 0;
    const isStarted = error === undefined || (error.code === "INSTANCE_EXISTS" && mayExist);
    if (!isStarted) this.#wrong("start", entry, error);
    entry.start = "acknowledged";
  }

  /** Starts an instance with one call; false when the call broke. */
  async startOnce(entry: Entry): Promise<boolean> {
    this.#ledger.add(entry);
    entry.start = "asked";
    const { answer } = await this.#call(() => this.#start(entry));
    if (answer === undefined) return false;
    if (answer.error !== undefined) this.#wrong("start", entry, answer.error);
    entry.start = "acknowledged";
    return true;
  }

  /**
   * Starts one instance with several calls at the same moment. Who is told that it exists already
   * was told so by a server that knew of a start: from then on there must be such an instance.
   */
  async startSideBySide(entry: Entry, calls: number): Promise<void> {
    this.#ledger.add(entry);
    entry.start = "asked";
    const racing = Array.from({ length: calls }, () => this.#call(() => this.#start(entry)));
    const answers = (await Promise.all(racing)).flatMap(({ answer }) => answer ?? []);
    const accepted = answers.filter(({ error }) => error === undefined);
    if (accepted.length > 1) this.#wrong("one of several starts", entry, undefined);
    for (const { error } of answers) {
      if (error !== undefined && error.code !== "INSTANCE_EXISTS")
        this.#wrong("start", entry, error);
    }
    if (answers.length === 0) await this.start(entry, {}, calls);
    entry.start = "acknowledged";
  }

  /** Raises the items 1 to `count`, each once the one before was acknowledged. */
  async raise(entry: Entry, sender: Sender, count: number, pauseMs: () => number): Promise<void> {
    for (let n = 1; n <= count; n += 1) {
      const item = { n, attempts: 0, acknowledged: false };
      sender.sent.push(item);
      await this.#command("raise event", entry, () => {
        item.attempts += 1;
        return this.#client.raiseEvent(entry.instanceId, "item", { sender: sender.sender, n });
      });
      item.acknowledged = true;
      await this.pause(pauseMs());
    }
  }

  /** Raises an event without a payload. */
  async raiseGo(entry: Entry): Promise<void> {
    await this.#command("raise event", entry, () =>
      this.#client.raiseEvent(entry.instanceId, "go"),
    );
  }

  /** Suspends an instance. */
  async suspend(entry: Entry): Promise<void> {
    await this.#command("suspend", entry, () => this.#client.suspend(entry.instanceId));
  }

  /** Resumes an instance. */
  async resume(entry: Entry): Promise<void> {
    await this.#command("resume", entry, () => this.#client.resume(entry.instanceId));
  }

  /** Terminates an instance and all below it. */
  async terminate(entry: Entry): Promise<void> {
    for (const ended of withDescendants(entry)) ended.terminate = "asked";
    const options = { output: terminateOutput };
    await this.#command("terminate", entry, () =>
      this.#client.terminate(entry.instanceId, options),
    );
    entry.terminate = "acknowledged";
  }

  /** Purges an ended instance and all below it. */
  async purge(entry: Entry): Promise<void> {
    const purged = withDescendants(entry);
    for (const gone of purged) gone.purge = "asked";
    let broken = 0;
    for (;;) {
      const answered = await this.#untilAnswered(() => this.#client.purge(entry.instanceId));
      broken += answered.broken;
      const { error, value } = answered;
      if (error?.code === "INSTANCE_NOT_ENDED" && entry.terminate !== "no") {
        await this.pause(purgePauseMs);
        continue;
      }
      const isGone = error === undefined || (error.code === "INSTANCE_NOT_FOUND" && broken > 0);
      if (!isGone) this.#wrong("purge", entry, error);
      const isCounted = error === undefined && broken === 0 && entry.terminate === "no";
      if (isCounted && value !== purged.length) {
        this.#wrong(`purge of ${purged.length}, ${value} by count,`, entry, undefined);
      }
      break;
    }
    for (const gone of purged) gone.purge = "acknowledged";
  }

  /** Waits for the end of an instance and notes it. */
  async waitForEnd(entry: Entry, byWatching: boolean): Promise<SeenEnd> {
    const { instanceId } = entry;
    const { value, error } = await this.#untilAnswered(() =>
      byWatching ? this.#watchToEnd(instanceId) : this.#client.waitForCompletion(instanceId),
    );
    if (value === undefined) return this.#wrong("wait", entry, error);
    const { status, output, executionId, completedAt } = value;
    const end = { entry, status, output, executionId, completedAt };
    this.#ledger.ends.push(end);
    return end;
  }

  /** Waits. */
  async pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#signal }).catch(() => {});
    if (this.#signal.aborted) throw new ScenarioEnded("the run is over");
  }

  /** A command that must succeed. */
  async #command(what: string, entry: Entry, call: () => Promise<void>): Promise<void> {
    const { error } = await this.#untilAnswered(call);
    if (error !== undefined) this.#wrong(what, entry, error);
  }

  async #start({ instanceId, workflow, input }: Entry, how: HowToStart = {}): Promise<void> {
    const { replace = false, ...delay } = how;
    const options = { instanceId, enforceUniqueInstanceId: !replace, ...delay };
    await this.#client.start(workflow, JSON.parse(input), options);
  }

  async #watchToEnd(instanceId: string): Promise<Instance> {
    let last: Instance | undefined;
    for await (const { instance } of this.#client.watch(instanceId)) last = instance;
    if (last?.completedAt === undefined) throw new Error("a watch ended before its instance");
    return last;
  }

  async #untilAnswered<T>(call: () => Promise<T>): Promise<Answered<T>> {
    for (let broken = 0; ; broken += 1) {
      if (this.#signal.aborted) throw new ScenarioEnded("the run is over");
      const { answer } = await this.#call(call);
      if (answer !== undefined) return { ...answer, broken };
    }
  }

  /** Makes a call once; no answer when it broke. */
  async #call<T>(
    call: () => Promise<T>,
  ): Promise<{ answer: Omit<Answered<T>, "broken"> | undefined }> {
    try {
      const value = await call();
      this.#ledger.noteAnswer();
      return { answer: { value, error: undefined } };
    } catch (error) {
      if (!isPawlError(error)) throw error;
      if (!isAnswer(error)) {
        this.#ledger.calls.broken += 1;
        return { answer: undefined };
      }
      this.#ledger.noteAnswer();
      return { answer: { value: undefined, error } };
    }
  }

  #wrong(what: string, { instanceId }: Entry, error: PawlError | undefined): never {
    const answer = error === undefined ? "was answered wrongly" : `${error.code}: ${error.message}`;
    this.#ledger.wrongAnswers.push(`${what} "${instanceId}": ${answer}`);
    throw new ScenarioEnded(`a wrong answer for "${instanceId}"`);
  }
}

/** The output that terminated instances get. */
export const terminateOutput = "stopped";

/** True for an error that the server sent; false for a call that broke. */
function isAnswer(error: PawlError): boolean {
  return ConnectError.from(error.cause).findDetails(ErrorDetailSchema).length > 0;
}
