// SPDX-License-Identifier: Apache-2.0

import type {
  ActivityItem,
  TurnCompletion,
  TurnItem,
  WorkerRegistration,
  WorkerSession,
  WorkItem,
} from "@pawl/engine";
import { decodeFrames, type HistoryEvent } from "@pawl/protocol";
import type { ActivityRuns } from "./activity-runs.ts";
import { has, nameOf, type WorkerCode } from "./fleet.ts";
import { checkHandOut } from "./hand-out.ts";
import { endAction, failAction, failure } from "./workflow/actions.ts";
import { isRerunId } from "./workflow/names.ts";
import { type ActivityInput, activityOutput, runProgram, tooLarge } from "./workflow/program.ts";
import { Replay } from "./workflow/replay.ts";
import type { Owner } from "./world/scheduler.ts";
import type { Life, WorkerPlace, World } from "./world/world.ts";

/** A stream between a worker and one life of the server. */
export interface Connection extends Owner {
  readonly life: Life;
  session: WorkerSession | undefined;
  /** When what is on the stream has arrived: it keeps its order. */
  inAt: number;
  outAt: number;
  /** The worker does nothing before this moment. */
  stoppedUntil: number;
  /** What it was given and has not answered; of which time of the server that is. */
  readonly open: Set<WorkItem>;
  incarnation: number;
  /** The step at which it was made. */
  readonly since: number;
  /** Names that it has told the server that it lacks, and in answer to what. */
  readonly denied: Map<string, WorkItem>;
}

/** What a worker keeps of an instance between turns. */
interface Held {
  readonly executionId: string;
  /** Of "past": the events as of the last turn. */
  readonly past: readonly HistoryEvent[];
  /** Of "result": the instance as the last result left it. */
  readonly replay: Replay | undefined;
}

/** The text that an answer has which nobody may give. */
export const forgedToken = "~forged~";

/** A token that the server has given to nobody. */
const nobodys = "~nobody's~";

/** The failure of what is not registered with a worker. */
export const unregisteredType = "Unregistered";

/** What follows on a stream comes later, so that it keeps its place. */
const oneBehindMs = 0.001;

/** A worker process: it outlives the server's crashes, and connects again. */
export class SimWorker implements WorkerPlace {
  readonly #world: World;
  readonly #runs: ActivityRuns;
  readonly registration: WorkerRegistration;
  readonly code: WorkerCode;
  readonly #held = new Map<string, Held>();
  #connection: Connection | undefined;
  #lastItem: WorkItem | undefined;

  constructor(world: World, runs: ActivityRuns, name: string, code: WorkerCode) {
    this.#world = world;
    this.code = code;
    world.workers.push(this);
    this.#runs = runs;
    const { random } = world;
    const limit = (): object => (random.chance(0.4) ? { turnLimit: random.integer(1, 3) } : {});
    const room = (): object => (random.chance(0.4) ? { activityLimit: random.integer(1, 3) } : {});
    const cache = random.pick([
      { weight: 1, value: "none" },
      { weight: 1, value: "past" },
      { weight: 2, value: "result" },
    ] as const).value;
    this.registration = { name, cache, ...limit(), ...room(), ...toldOf(code) };
    const isFirst = world.workers.length === 1;
    // A server that had nothing to do takes the first worker's word for what is registered anywhere.
    world.onLife((life) => this.#connectSoon(life, isFirst || world.disk.hasOpen() ? 0 : 20));
  }

  #connectSoon(life: Life, leastMs = 0): void {
    const { random } = this.#world;
    const { awayMs = 0 } = this.code;
    const more = awayMs > 0 && random.chance(0.5) ? awayMs : 20;
    const waitMs = leastMs + random.next() * more;
    this.#world.scheduler.after(waitMs, life, `${this.registration.name} connects`, () => {
      this.#connect(life);
    });
  }

  #connect(life: Life): void {
    const { engine } = life;
    if (engine === undefined || this.#connection?.isAlive === true) return;
    this.#held.clear();
    const at = this.#world.scheduler.now;
    const connection: Connection = {
      life,
      session: undefined,
      inAt: at,
      outAt: at,
      stoppedUntil: at,
      open: new Set(),
      denied: new Map(),
      since: this.#world.scheduler.steps,
      incarnation: life.incarnation,
      // What is on its way ends with the connection, and that with the server.
      get isAlive() {
        return life.isAlive && !isClosed;
      },
      set isAlive(value) {
        isClosed = !value;
      },
    };
    let isClosed = false;
    this.#connection = connection;
    connection.session = engine.connectWorker(
      this.registration,
      (item) => this.#receive(connection, item),
      (instanceId) => this.#held.delete(instanceId),
    );
  }

  /** The stream ends; the worker comes again. */
  #leave(connection: Connection): void {
    if (!connection.isAlive) return;
    connection.isAlive = false;
    connection.session?.close();
    this.#connectSoon(connection.life);
  }

  #receive(connection: Connection, item: WorkItem): void {
    const { scheduler } = this.#world;
    if (item.kind === "activity") this.#runs.handedOut(item);
    checkHandOut(this.#world, this, connection, item);
    connection.inAt = Math.max(connection.inAt + oneBehindMs, scheduler.now + this.#world.wire());
    const waitMs = connection.inAt - scheduler.now;
    const what = `${this.registration.name} gets ${item.kind} of ${item.instanceId}`;
    scheduler.after(waitMs, connection, what, () => this.#take(connection, item));
  }

  /** The step at which it connected to the server as that is now; undefined: it is not connected. */
  get since(): number | undefined {
    const connection = this.#connection;
    const isThere = connection?.isAlive && connection.incarnation === connection.life.incarnation;
    return isThere ? connection.since : undefined;
  }

  openItems(): Iterable<WorkItem> {
    const connection = this.#connection;
    const isThere = connection?.isAlive && connection.incarnation === connection.life.incarnation;
    return isThere ? connection.open : [];
  }

  /** True while it is connected, and the server may take it to have this. */
  mayHave(item: WorkItem): boolean {
    const connection = this.#connection;
    if (connection === undefined || !connection.isAlive || !has(this.code, item)) return false;
    return connection.since < this.#world.scheduler.steps;
  }

  #take(connection: Connection, item: WorkItem): void {
    const { habits, scheduler, random } = this.#world;
    const { name } = this.registration;
    if (this.#world.fault(habits.workerStops, `${name} stops`)) {
      connection.stoppedUntil = scheduler.now + random.next() * 3000;
      // A worker that says nothing for long is cut off, sometimes while it is stopped.
      const patience = random.next() * 4000;
      scheduler.after(patience, connection, `${name} is cut off`, () => this.#leave(connection));
    }
    if (item.kind === "activity") this.#runActivity(connection, item);
    else if (has(this.code, item)) this.#runTurn(connection, item);
    else this.#refuseTurn(connection, item);
    if (this.#world.fault(habits.workerLeaves, `${name} leaves`)) this.#leave(connection);
    if (this.#world.fault(habits.workerForgets, `${name} forgets ${item.instanceId}`)) {
      this.#held.delete(item.instanceId);
      if (random.chance(0.5)) connection.session?.evict([item.instanceId]);
    }
  }

  #runTurn(connection: Connection, item: TurnItem): void {
    const held = this.#held.get(item.instanceId);
    if (item.cachedEventCount > 0 && held?.executionId !== item.executionId) {
      connection.open.delete(item);
      connection.session?.returnTurn(item.instanceId, item.token);
      return;
    }
    const replay = this.#replayOf(item, held);
    for (const record of item.events) replay.take(record.event);
    const { actions, customStatus, version } = replay.result();
    // Code that lacks what history was made with goes other ways: the server finds that out.
    if (replay.divergence !== undefined && !this.code.isOld) {
      const where = `${item.instanceId} at ${item.pastEventCount}`;
      this.#world.violation("a replay fits its history", `${where}: ${replay.divergence}`);
    }
    const more = {
      ...(customStatus === undefined ? {} : { customStatus }),
      ...(version === undefined ? {} : { version }),
    };
    const token = this.#echoed(item);
    const completion = { instanceId: item.instanceId, token, actions, ...more };
    this.#answer(connection, item, (engine) => engine.completeTurn(completion));
    this.#lastItem = item;
  }

  #refuseTurn(connection: Connection, item: TurnItem): void {
    const { instanceId, workflow } = item;
    const token = this.#echoed(item);
    const refusal =
      this.code.tells === "silent"
        ? { actions: [] }
        : { actions: [failAction(0, workflow, unregisteredType)], unregistered: workflow };
    const completion: TurnCompletion = { instanceId, token, ...refusal };
    this.#answer(connection, item, (engine) => engine.completeTurn(completion));
    this.#lastItem = item;
  }

  /** The token that an answer has. */
  #echoed({ token }: WorkItem): string {
    return this.#world.settings.echoesTokens ? token : "";
  }

  /** The instance as it was before the events of the turn. */
  #replayOf(item: TurnItem, held: Held | undefined): Replay {
    const { cache } = this.registration;
    const { instanceId, executionId } = item;
    const sent = item.past.flatMap((frames) => decodeFrames(frames)).map(({ event }) => event);
    const isCached = item.cachedEventCount > 0;
    if (isCached && cache === "result" && held?.replay !== undefined) return held.replay;
    const past = isCached ? [...(held?.past ?? []).slice(0, item.cachedEventCount), ...sent] : sent;
    if (past.length !== item.pastEventCount) {
      const found = `${instanceId}: ${past.length} events of ${item.pastEventCount}`;
      this.#world.violation("a turn brings the whole past", found);
    }
    const isRerun = isRerunId(instanceId);
    const { holdsBack } = this.#world.settings;
    const replay = new Replay(runProgram, { isOld: this.code.isOld, isRerun, holdsBack });
    for (const event of past) replay.take(event);
    replay.endPast();
    if (cache === "result") this.#held.set(instanceId, { executionId, past: [], replay });
    else if (cache === "past") this.#held.set(instanceId, { executionId, past, replay: undefined });
    return replay;
  }

  #runActivity(connection: Connection, item: ActivityItem): void {
    const input: ActivityInput = JSON.parse(item.input ?? "{}");
    const { instanceId, taskId } = item;
    const token = this.#echoed(item);
    if (has(this.code, item)) this.#runs.begin(connection, item, input.token);
    const result = this.#resultOf(item, input);
    this.#answer(connection, item, async (engine) => {
      await engine.completeActivity({ instanceId, taskId, token, ...result });
    });
    this.#lastItem = item;
  }

  #resultOf(item: ActivityItem, input: ActivityInput) {
    const { name } = item;
    if (!has(this.code, item)) {
      return { failure: failure(name, unregisteredType), unregistered: name };
    }
    if (input.isLarge === true) return { output: tooLarge };
    return input.fails
      ? { failure: failure("not this time") }
      : { output: activityOutput(input.token) };
  }

  /** Sends an answer, as well or badly as the worker's habits are. */
  #answer(
    connection: Connection,
    item: WorkItem,
    send: (engine: NonNullable<Life["engine"]>) => Promise<void>,
  ): void {
    const { habits, random, scheduler } = this.#world;
    const what = `${item.kind} of ${item.instanceId}`;
    if (this.#world.fault(habits.answerForged, `a forged answer to a ${what}`)) this.#forge(item);
    if (this.#world.fault(habits.answerLost, `the answer to a ${what} is lost`)) {
      const patience = random.next() * 2000;
      scheduler.after(patience, connection, "a worker is cut off", () => this.#leave(connection));
      return;
    }
    const stopMs = Math.max(connection.stoppedUntil - scheduler.now, 0);
    const workMs = item.kind === "turn" ? this.#world.wire() : random.next() * 50;
    connection.outAt = Math.max(connection.outAt + oneBehindMs, scheduler.now + stopMs + workMs);
    const waitMs = connection.outAt - scheduler.now;
    this.#send(connection, item, waitMs, send);
    if (this.#world.fault(habits.answerTwice, `the answer to a ${what} comes twice`)) {
      this.#sendAnyhow(`second answer to ${what}`, waitMs + random.next() * 200, send);
    }
    if (this.#world.fault(habits.answerLate, `the answer to a ${what} comes late, again`)) {
      this.#sendAnyhow(`late answer to ${what}`, waitMs + random.next() * 5000, send);
    }
  }

  /** Sends on the connection: nothing arrives once that is gone. */
  #send(
    connection: Connection,
    item: WorkItem,
    waitMs: number,
    send: (engine: NonNullable<Life["engine"]>) => Promise<void>,
  ): void {
    const label = `answer to ${item.kind} of ${item.instanceId}`;
    this.#world.scheduler.after(waitMs, connection, label, () => {
      const { engine, incarnation } = connection.life;
      if (engine === undefined) return;
      const isWanted = connection.open.delete(item) && incarnation === connection.incarnation;
      if (item.kind === "activity") this.#runs.arrived(item);
      const isSilent = item.kind === "turn" && this.code.tells === "silent";
      if (isWanted && !isSilent && !has(this.code, item)) connection.denied.set(nameOf(item), item);
      const answered = send(engine);
      this.#note(label, answered);
      if (item.kind !== "activity" || !isWanted || !has(this.code, item)) return;
      answered.then(
        () => connection.isAlive && this.#runs.answered(item),
        () => {},
      );
    });
  }

  /** Sends to whatever server there is then. */
  #sendAnyhow(
    label: string,
    waitMs: number,
    send: (engine: NonNullable<Life["engine"]>) => Promise<void>,
  ): void {
    this.#world.scheduler.after(waitMs, this.#world.outside, label, () => {
      const { engine } = this.#world.life;
      if (engine !== undefined) this.#note(label, send(engine));
    });
  }

  /** An answer that is not of the item's: a wrong token, or that of an item before. */
  #forge(item: WorkItem): void {
    const { random } = this.#world;
    const last = this.#lastItem;
    // An answer names no execution: of two with the same id, either task's token is good for the other.
    const isOfLast = !random.chance(0.5) && last !== undefined && !isSameTask(last, item);
    const token = isOfLast ? last.token : nobodys;
    const { instanceId } = item;
    this.#sendAnyhow(`forged answer to ${instanceId}`, this.#world.wire(), async (engine) => {
      if (item.kind === "turn") {
        const actions: TurnCompletion["actions"] = [endAction(0, "COMPLETED", forgedToken)];
        if (token !== item.token) await engine.completeTurn({ instanceId, token, actions });
      } else if (token !== item.token) {
        const { taskId } = item;
        await engine.completeActivity({ instanceId, taskId, token, output: forgedToken });
      }
    });
  }

  #note(label: string, answered: Promise<void>): void {
    answered.then(
      () => this.#world.trace.note(`  ${label}: taken`),
      (error) => this.#world.trace.note(`  ${label}: ${String(error)}`),
    );
  }
}

/** What the server is told of a worker's code when it connects. */
function toldOf(code: WorkerCode): Partial<WorkerRegistration> {
  const { workflows, activities, tells, turnBytes } = code;
  const room = turnBytes === undefined ? {} : { turnBytes };
  if (tells !== "announces") return { isSilent: tells === "silent", ...room };
  return { workflows: [...workflows], activities: [...activities], ...room };
}

function isSameTask(one: WorkItem, other: WorkItem): boolean {
  if (one.kind !== "activity" || other.kind !== "activity") return false;
  return one.instanceId === other.instanceId && one.taskId === other.taskId;
}
