// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";
import type { Random } from "../random.ts";
import { workflowNames } from "../simulation/workflow/names.ts";
import { collectEvent, endText, inputOf } from "../simulation/workflow/program.ts";
import type { Answer, World } from "../simulation/world/world.ts";
import type { Operation, Seen } from "./instance-model.ts";
import type { Call } from "./linearize.ts";

type Verb =
  | "start"
  | "raise"
  | "end"
  | "suspend"
  | "resume"
  | "terminate"
  | "purge"
  | "get"
  | "wait";

const verbs: readonly { readonly weight: number; readonly verb: Verb }[] = [
  { weight: 4, verb: "start" },
  { weight: 5, verb: "raise" },
  { weight: 1, verb: "end" },
  { weight: 2, verb: "suspend" },
  { weight: 2, verb: "resume" },
  { weight: 1, verb: "terminate" },
  { weight: 2, verb: "purge" },
  { weight: 7, verb: "get" },
  { weight: 1, verb: "wait" },
];

/** The calls of several callers on one instance, each with its answer and its place in time. */
export class ConcurrentCalls {
  readonly instanceId: string;
  readonly calls: Call<Operation>[] = [];
  readonly #world: World;
  #moments = 0;
  #names = 0;

  constructor(world: World, instanceId: string) {
    this.#world = world;
    this.instanceId = instanceId;
  }

  /** One caller: so many calls, one after the other. */
  async caller(random: Random, count: number): Promise<void> {
    const { scheduler, outside } = this.#world;
    for (let left = count; left > 0; left -= 1) {
      const call = this.#call(random.pick(verbs).verb);
      // Who waits for an end may wait for ever, and does something else meanwhile.
      if (call !== undefined) await call;
      await scheduler.sleep(random.next() * 30, outside, "a caller goes on");
    }
  }

  #call(verb: Verb): Promise<void> | undefined {
    const id = this.instanceId;
    const text = `~${verb}${++this.#names}~`;
    switch (verb) {
      case "start": {
        const input = JSON.stringify({ ...JSON.parse(inputOf(collectForever)), name: text });
        const [workflow = ""] = workflowNames;
        const command = { workflow, instanceId: id, input };
        return this.#send(
          verb,
          (engine) => engine.start(command),
          (answer) => ({ verb, executionId: text, answer: answerOf(answer, ["INSTANCE_EXISTS"]) }),
        );
      }
      case "raise":
      case "end": {
        const payload = verb === "end" ? endText : text;
        return this.#send(
          `raise ${payload}`,
          (engine) => engine.raiseEvent(id, collectEvent, payload),
          (answer) => ({ verb: "raise", text: payload, answer: answerOf(answer, notFound) }),
        );
      }
      case "suspend":
      case "resume":
      case "terminate":
        return this.#send(
          `${verb} ${text}`,
          (engine) =>
            verb === "terminate" ? engine.terminate(id, { output: text }) : engine[verb](id, text),
          (answer) => ({ verb, text, answer: answerOf(answer, notFound) }),
        );
      case "purge":
        return this.#send(
          verb,
          (engine) => engine.purge(id),
          (answer) => ({ verb, answer: answerOf(answer, [...notFound, "INSTANCE_NOT_ENDED"]) }),
        );
      case "get":
        return this.#send(verb, (engine) => engine.get(id), readOf);
      default:
        void this.#send(verb, (engine) => engine.waitForCompletion(id), readOf);
        return undefined;
    }
  }

  async #send<T>(
    label: string,
    send: Parameters<World["call"]>[1] extends (engine: infer E) => unknown
      ? (engine: E) => Promise<T>
      : never,
    operationOf: (answer: Answer<T>) => Operation | undefined,
  ): Promise<void> {
    const calledAt = ++this.#moments;
    const name = `${label} at ${this.instanceId}`;
    const answer = await this.#world.call(name, send);
    const operation = operationOf(answer);
    // A read without an answer says nothing.
    if (operation === undefined) return;
    const answeredAt = answer.kind === "unknown" ? Number.POSITIVE_INFINITY : ++this.#moments;
    this.calls.push({ operation, calledAt, answeredAt });
  }
}

const collectForever = [{ do: "collect", renewAfter: 0 }] as const;
const notFound = ["INSTANCE_NOT_FOUND"] as const;

/** "?" where none came. @throws Error for a refusal that nothing explains */
function answerOf<C extends string>(answer: Answer<unknown>, codes: readonly C[]): "ok" | "?" | C {
  if (answer.kind === "value") return "ok";
  if (answer.kind === "unknown") return "?";
  const code = codes.find((known) => known === answer.code);
  if (code === undefined) throw new Error(`a call was refused with ${answer.code}`);
  return code;
}

function readOf(answer: Answer<Instance | undefined>): Operation | undefined {
  if (answer.kind === "unknown") return undefined;
  if (answer.kind === "refused") throw new Error(`a read was refused with ${answer.code}`);
  return { verb: "read", seen: seenOf(answer.value) };
}

/** An execution goes by the name in its input: who started it need not have heard its id. */
function seenOf(instance: Instance | undefined): Seen {
  if (instance === undefined) return undefined;
  const { status, input = "{}", customStatus: taken, output } = instance;
  return { executionId: String(JSON.parse(input).name), status, taken, output };
}
