// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { toEnvelope } from "@pawl/protocol";
import { WorkflowResponseSchema } from "@pawl/protocol/task-hub";
import { startWorker } from "../../system/sidecar.js";
import type { System, Toolbox, WorkflowSystem } from "../../system/system.js";
import { runTask } from "../../workload/run-task.js";
import { idOf, type RecordedChain, recordChain, recordedOutput } from "./recorded-chain.js";

/**
 * The limit of a Durable Task worker (`worker`: "go" or "javascript"): chains that it runs when work
 * items that were recorded before are handed to it as soon as it has answered the last one. There is no
 * engine, no client and no disk, only this process and an HTTP/2 connection.
 */
export async function open(
  toolbox: Toolbox,
  options: Readonly<Record<string, string>>,
): Promise<System> {
  const chain = await recordChain(toolbox, firstTaskIds[options.worker ?? ""] ?? Number.NaN);
  const server = await RecordedServer.start(chain);
  const worker = await startWorker(toolbox, options, server.address);
  const system: WorkflowSystem = {
    pids: { worker: worker.pid },
    chain: () => server.runChain(),
    close: async () => {},
  };
  return {
    measure: (task) => runTask(system, { ...task, workload: "chain" }),
    async close() {
      await worker.stop();
      server.close();
    },
  };
}

/** The number that each worker gives an execution's first task. */
const firstTaskIds: Readonly<Record<string, number>> = { go: 0, javascript: 1 };

/** A chain under way: which of its work items the worker has. */
interface Running {
  at: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The sidecar service as far as a worker calls it, with nothing behind it. */
class RecordedServer {
  readonly #chain: RecordedChain;
  readonly #server: Http2Server;
  readonly #running = new Map<string, Running>();
  readonly #worker: Promise<ServerHttp2Stream>;
  #lastNumber = 0;

  private constructor(chain: RecordedChain) {
    this.#chain = chain;
    this.#server = createServer();
    this.#worker = new Promise((resolve) => {
      this.#server.on("stream", (stream, headers) => {
        const method = headers[":path"]?.split("/").at(-1) ?? "";
        if (method === "GetWorkItems") {
          stream.respond(responseHeaders);
          resolve(stream);
        } else {
          this.#answer(stream, method.startsWith("Complete"));
        }
      });
    });
  }

  static async start(chain: RecordedChain): Promise<RecordedServer> {
    const server = new RecordedServer(chain);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  /** Hands out the work items of one chain, each when the one before is answered. */
  async runChain(): Promise<void> {
    const worker = await this.#worker;
    this.#lastNumber += 1;
    const instanceId = idOf(this.#lastNumber);
    return new Promise((resolve, reject) => {
      this.#running.set(instanceId, { at: 0, resolve, reject });
      worker.write(this.#chain.frame(0, instanceId));
    });
  }

  close(): void {
    this.#server.close();
  }

  /** Answers a unary call with an empty message; goes on with the chain whose item it completes. */
  #answer(stream: ServerHttp2Stream, isCompletion: boolean): void {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.once("end", () => {
      stream.respond(responseHeaders, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(emptyFrame);
      if (isCompletion) void this.#goOn(Buffer.concat(parts).subarray(frameHeadBytes));
    });
  }

  async #goOn(answer: Buffer): Promise<void> {
    const instanceId = instanceIdOf(answer);
    const running = this.#running.get(instanceId);
    if (running === undefined) return;
    running.at += 1;
    if (running.at < this.#chain.length) {
      (await this.#worker).write(this.#chain.frame(running.at, instanceId));
      return;
    }
    this.#running.delete(instanceId);
    if (isRightEnd(answer)) running.resolve();
    else running.reject(new Error("a chain ended with something else than it should"));
  }
}

const responseHeaders = { ":status": 200, "content-type": "application/grpc" };
const emptyFrame = toEnvelope(new Uint8Array());
const frameHeadBytes = emptyFrame.length;

/** The first field of both kinds of answer: a tag, a length below 128, the id. */
function instanceIdOf(answer: Buffer): string {
  return answer.toString("latin1", 2, 2 + (answer[1] ?? 0));
}

function isRightEnd(answer: Buffer): boolean {
  return fromBinary(WorkflowResponseSchema, answer).actions.some(({ workflowActionType: type }) => {
    return type.case === "completeWorkflow" && type.value.result === recordedOutput;
  });
}
