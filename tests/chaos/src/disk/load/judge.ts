// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Client, createClient, type Instance, isPawlError } from "@pawl/client";
import { isEngineError, type Logger, openEngine } from "@pawl/engine";
import { checkAgreement } from "../../check/check.ts";
import { observe } from "../../check/observe.ts";
import { findFaults } from "../../check/reopen.ts";
import { checkReplays } from "../../check/replays.ts";
import { brief, type Violation } from "../../check/violation.ts";
import type { Facts } from "./facts.ts";
import { flows, numberOf, tally } from "./flows.ts";
import { checkRuns, connectWorker } from "./workload.ts";

/** What became of a folder. */
export interface Verdict {
  /** Undefined: it opened. */
  readonly refusal: { readonly code: string; readonly message: string } | undefined;
  readonly violations: readonly Violation[];
  /** Instances that are reported as damaged. */
  readonly parked: readonly string[];
  /** The engine's log tells of damage. */
  readonly isReported: boolean;
}

/** How to judge. */
export interface JudgeOptions {
  readonly facts: readonly Facts[];
  /** Damage was done: instances may be reported as damaged, and what is theirs may be gone. */
  readonly mayBeDamaged?: boolean;
}

/** Everything that is there must have ended within this. */
const drainMs = 60_000;

/**
 * Opens a folder as after a restart, checks it against what was acknowledged, lets everything run to
 * its end, and checks that too. A refusal with a code is a verdict; anything else that is thrown is not.
 */
export async function judge(dataDir: string, options: JudgeOptions): Promise<Verdict> {
  const judging = new Judging(dataDir, options);
  try {
    return await judging.run();
  } catch (error) {
    if (!isEngineError(error)) throw error;
    const { code, message } = error;
    const { violations, isOpen } = judging;
    const refusal = isOpen ? undefined : { code, message };
    // Too late for a refusal: it was served already.
    if (isOpen) violations.push({ rule: "what is opened is served", found: `${code}: ${message}` });
    return { refusal, violations, parked: [], isReported: true };
  }
}

class Judging {
  /** The engine has opened the folder. */
  isOpen = false;
  readonly violations: Violation[] = [];
  readonly #dataDir: string;
  readonly #facts: readonly Facts[];
  readonly #mayBeDamaged: boolean;
  readonly #parked = new Set<string>();
  #isReported = false;
  readonly #logger: Logger = {
    info() {},
    warn() {},
    error: () => {
      this.#isReported = true;
    },
  };

  constructor(dataDir: string, { facts, mayBeDamaged = false }: JudgeOptions) {
    this.#dataDir = dataDir;
    this.#facts = facts;
    this.#mayBeDamaged = mayBeDamaged;
  }

  async run(): Promise<Verdict> {
    // Without a side file nothing was acknowledged yet: the folder is made anew.
    if (existsSync(join(this.#dataDir, "pawl.json"))) {
      await this.#verify("a folder is sound when it is opened").catch((error: unknown) => {
        // The engine serves what can be read of one that is damaged in parts.
        const mayGoOn = this.#mayBeDamaged && isEngineError(error);
        if (!mayGoOn || error.code !== "STORE_DAMAGED") throw error;
        this.#isReported = true;
      });
    }
    const engine = await openEngine({ dataDir: this.#dataDir, logger: this.#logger });
    this.isOpen = true;
    const { worker, running, runs } = connectWorker(engine);
    try {
      const client = createClient({ engine });
      for (const facts of this.#facts) await this.#checkPresence(client, facts);
      await this.#checkNobodyElse(client);
      await Promise.all(this.#facts.map((facts) => this.#finish(client, facts)));
      await this.#checkHistories(client);
      this.violations.push(...checkRuns(runs));
    } finally {
      await worker.stop();
      await running;
      await engine.close();
    }
    await this.#verify("a folder is sound when all has ended");
    const parked = [...this.#parked];
    return {
      refusal: undefined,
      violations: this.violations,
      parked,
      isReported: this.#isReported,
    };
  }

  async #verify(rule: string): Promise<void> {
    for (const { instanceId, reason } of await findFaults(this.#dataDir)) {
      this.#parked.add(instanceId);
      if (!this.#mayBeDamaged) this.#violate(rule, instanceId, reason);
    }
  }

  /** What was acknowledged is there. */
  async #checkPresence(client: Client, facts: Facts): Promise<void> {
    const { instanceId, start, purge, output } = facts;
    const instance = await this.#unlessDamaged(instanceId, () => client.get(instanceId));
    if (this.#parked.has(instanceId)) return;
    if (instance === undefined) {
      const isKept = start === "acknowledged" && purge === "no";
      if (isKept) this.#violate("an acknowledged start is there", instanceId, "it is missing");
      return;
    }
    if (purge === "acknowledged") {
      this.#violate("an acknowledged purge deletes", instanceId, "it is still there");
    }
    if (output !== undefined && JSON.stringify(instance.output) !== output) {
      const found = `${instance.status} ${brief(instance.output)} in place of ${output}`;
      this.#violate("an end that was told stays", instanceId, found);
    }
  }

  async #checkNobodyElse(client: Client): Promise<void> {
    const known = new Set(this.#facts.map(({ instanceId }) => instanceId));
    for await (const { instanceId } of client.list({ payloads: false, pageSize: 1000 })) {
      if (known.has(instanceId.replace(/\.child$/, ""))) continue;
      this.#violate("nothing is there that nobody started", instanceId, "it is there");
    }
  }

  /** Lets an instance end and checks how. */
  async #finish(client: Client, facts: Facts): Promise<void> {
    const { instanceId } = facts;
    if (this.#parked.has(instanceId)) return;
    const ended = await this.#unlessDamaged(instanceId, async () => {
      const found = await client.get(instanceId);
      if (found === undefined || found.completedAt !== undefined) return found;
      const isTally = instanceId.startsWith(tally.name);
      if (isTally) await client.raiseEvent(instanceId, "item", { n: 0, pad: "" });
      // Whoever waits for a parked child waits on, and shows it.
      const child = `${instanceId}.child`;
      await this.#unlessDamaged(child, () => client.get(child));
      if (this.#parked.has(child)) return undefined;
      return client.waitForCompletion(instanceId, { timeoutMs: drainMs });
    });
    if (ended !== undefined) this.#checkEnd(facts, ended);
  }

  /** What is there agrees with itself, and the code would ask for it again. */
  async #checkHistories(client: Client): Promise<void> {
    const found = await observe(
      {
        list: (query) => client.list(query),
        get: (id) => this.#unlessDamaged(id, () => client.get(id)),
        history: async (id) => (await this.#unlessDamaged(id, () => client.history(id))) ?? [],
      },
      // Not all that are reported as damaged are listed.
      this.#mayBeDamaged ? this.#facts.map(({ instanceId }) => `${instanceId}.child`) : [],
    );
    const isThere = (id: string): boolean => !this.#parked.has(id);
    const sound = {
      ...found,
      instances: new Map([...found.instances].filter(([id]) => isThere(id))),
      listed: found.listed.filter(isThere),
      listedByStatus: new Map(
        [...found.listedByStatus].map(([status, ids]) => [status, ids.filter(isThere)]),
      ),
    };
    this.violations.push(...checkAgreement(sound, (id) => this.#parked.has(id)));
    this.violations.push(...(await checkReplays(flows, sound)));
  }

  #checkEnd({ instanceId, raised, terminate }: Facts, { status, output }: Instance): void {
    const rule = "an instance ends as it should";
    if (terminate !== "no" && status === "terminated") return;
    if (status !== "completed" || terminate === "acknowledged") {
      this.#violate(rule, instanceId, `it is ${status}`);
    } else if (!instanceId.startsWith(tally.name)) {
      if (output !== numberOf(instanceId) + 3) this.#violate(rule, instanceId, brief(output));
    } else {
      const seen: readonly unknown[] = Array.isArray(output) ? output : [];
      const isInOrder = seen.every((n, index) => n === index + 1);
      const isWhole = seen.length >= raised.acknowledged && seen.length <= raised.asked;
      if (isInOrder && isWhole) return;
      const found = `${brief(output)} of ${raised.acknowledged} acknowledged and ${raised.asked} asked`;
      this.#violate("each acknowledged event is taken once, in order", instanceId, found);
    }
  }

  async #unlessDamaged<T>(instanceId: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isPawlError(error)) throw error;
      if (error.code === "INSTANCE_DAMAGED" && this.#mayBeDamaged) this.#parked.add(instanceId);
      else this.#violate("every instance can be read and ends", instanceId, error.message);
      return undefined;
    }
  }

  #violate(rule: string, instanceId: string, found: string): void {
    this.violations.push({ rule, instanceId, found });
  }
}
