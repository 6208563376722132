// SPDX-License-Identifier: Apache-2.0

import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Health, ServerReflection, ServerReflectionAlpha } from "@pawl/protocol";
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@pawl/protocol/grpc";
import { describe, expect, test } from "vitest";
import { fakeEngine } from "./fake-engine.js";
import { startServer } from "./test-server.js";

type Question = ServerReflectionRequest["messageRequest"];
type Answer = ServerReflectionResponse["messageResponse"];

const versions = [
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionAlpha],
] as const;

async function ask(service: (typeof versions)[number][1], question: Question): Promise<Answer> {
  const server = await startServer({ engine: fakeEngine() });
  const transport = createGrpcTransport({ baseUrl: server.url });
  async function* requests(): AsyncGenerator<{ host: string; messageRequest: Question }> {
    yield { host: "h", messageRequest: question };
  }
  const client = createClient(service as typeof ServerReflection, transport);
  for await (const response of client.serverReflectionInfo(requests())) {
    expect(response.validHost).toBe("h");
    return response.messageResponse;
  }
  return { case: undefined };
}

describe.each(versions)("reflection %s", (_name, service) => {
  test("lists all services", async () => {
    const answer = await ask(service, { case: "listServices", value: "" });

    expect(answer.case).toBe("listServicesResponse");
    expect(answer.value).toMatchObject({
      service: [
        { name: "TaskHubSidecarService" },
        { name: "dapr.proto.runtime.v1.Dapr" },
        { name: "grpc.health.v1.Health" },
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "grpc.reflection.v1alpha.ServerReflection" },
        { name: "pawl.v1.AdminService" },
        { name: "pawl.v1.BatchService" },
        { name: "pawl.v1.CallService" },
        { name: "pawl.v1.WorkerService" },
        { name: "pawl.v1.WorkflowService" },
      ],
    });
  });

  test.each([
    ["fileContainingSymbol", "pawl.v1.WorkflowService"],
    ["fileByFilename", "pawl/v1/workflow_service.proto"],
  ] as const)("gives files by %s", async (kind, value) => {
    const answer = await ask(service, { case: kind, value });

    if (answer.case !== "fileDescriptorResponse") {
      throw new Error(`unexpected ${answer.case}`);
    }
    const names = answer.value.fileDescriptorProto.map(
      (bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
    );
    expect(names[0]).toBe("pawl/v1/workflow_service.proto");
    expect(names).toContain("durabletask/orchestration.proto");
    expect(names).toContain("google/protobuf/timestamp.proto");
  });

  test("tells what it does not know", async () => {
    const answer = await ask(service, { case: "fileContainingSymbol", value: "a.B" });

    expect(answer).toMatchObject({ case: "errorResponse", value: { errorCode: Code.NotFound } });
  });

  test("answers about extensions", async () => {
    const value = "google.protobuf.FieldOptions";
    const numbers = await ask(service, { case: "allExtensionNumbersOfType", value });
    if (numbers.case !== "allExtensionNumbersResponse") {
      throw new Error(`unexpected ${numbers.case}`);
    }

    const [extensionNumber = 0] = numbers.value.extensionNumber;
    const extension = { containingType: value, extensionNumber };
    const file = await ask(service, {
      case: "fileContainingExtension",
      value: extension as ServerReflectionRequest["messageRequest"]["value"] & typeof extension,
    } as Question);

    expect(file.case).toBe("fileDescriptorResponse");
  });
});

describe("health", () => {
  test("follows the engine", async () => {
    let ready = true;
    let notify = (): void => {};
    const engine = fakeEngine({
      isReady: () => ready,
      onReadyChange(listener) {
        notify = () => listener(ready);
        return () => {};
      },
    });
    const server = await startServer({ engine });
    const client = createClient(Health, createGrpcTransport({ baseUrl: server.url }));
    const statuses = client.watch({})[Symbol.asyncIterator]();

    expect((await statuses.next()).value?.status).toBe(ServingStatus.SERVING);
    ready = false;
    notify();
    expect((await statuses.next()).value?.status).toBe(ServingStatus.NOT_SERVING);
    expect((await client.check({})).status).toBe(ServingStatus.NOT_SERVING);
  });

  test("does not know other services", async () => {
    const server = await startServer({ engine: fakeEngine() });
    const client = createClient(Health, createGrpcTransport({ baseUrl: server.url }));

    const statuses = client.watch({ service: "a.B" })[Symbol.asyncIterator]();

    expect((await statuses.next()).value?.status).toBe(ServingStatus.SERVICE_UNKNOWN);
  });
});
