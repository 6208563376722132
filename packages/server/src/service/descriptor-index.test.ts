// SPDX-License-Identifier: Apache-2.0

import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Dapr, TaskHubSidecarService, WorkerService, WorkflowService } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { DescriptorIndex } from "./descriptor-index.js";

const services = [WorkflowService, WorkerService, TaskHubSidecarService, Dapr];
const index = new DescriptorIndex(services);

function decode(files: readonly Uint8Array[] | undefined): string[] {
  return (files ?? []).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

describe("DescriptorIndex", () => {
  test("lists the services by name", () => {
    expect(index.serviceNames).toEqual([
      "TaskHubSidecarService",
      "dapr.proto.runtime.v1.Dapr",
      "pawl.v1.WorkerService",
      "pawl.v1.WorkflowService",
    ]);
  });

  test.each([
    ["pawl.v1.WorkflowService", "pawl/v1/workflow_service.proto"],
    ["pawl.v1.WorkflowService.GetInstance", "pawl/v1/workflow_service.proto"],
    ["TaskHubSidecarService", "durabletask/orchestrator_service.proto"],
    ["HistoryEvent", "durabletask/history_events.proto"],
    ["pawl.v1.InstanceStatus", "pawl/v1/instance.proto"],
    ["pawl.v1.Instance.instance_id", "pawl/v1/instance.proto"],
    ["google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
    ["buf.validate.field", "buf/validate/validate.proto"],
  ])("finds the file that defines %s", (symbol, file) => {
    expect(decode(index.filesDefining(symbol))[0]).toBe(file);
  });

  test("gives every file with all that it imports", () => {
    for (const service of services) {
      const files = index.filesDefining(service.typeName) ?? [];
      const file = files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
      // protobuf-es, like every other reader, wants imports before their importers.
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: sorted(file) }));
      expect(registry.getService(service.typeName)?.methods.length).toBe(service.methods.length);
    }
  });

  test("finds extensions by the message and number that they extend", () => {
    const fieldOptions = "google.protobuf.FieldOptions";
    const [number] = index.extensionNumbers(fieldOptions) ?? [];

    expect(decode(index.filesExtending(fieldOptions, number ?? 0))[0]).toBe(
      "buf/validate/validate.proto",
    );
  });

  test("knows nothing of other names", () => {
    expect(index.filesNamed("a.proto")).toBeUndefined();
    expect(index.filesDefining("a.B")).toBeUndefined();
    expect(index.filesExtending("pawl.v1.Instance", 1)).toBeUndefined();
    expect(index.extensionNumbers("a.B")).toBeUndefined();
  });
});

/** Imports before importers. */
function sorted<T extends { name: string; dependency: string[] }>(files: readonly T[]): T[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const result = new Set<T>();
  const visit = (file: T): void => {
    for (const name of file.dependency) {
      const imported = byName.get(name);
      if (imported !== undefined) {
        visit(imported);
      }
    }
    result.add(file);
  };
  files.forEach(visit);
  return [...result];
}
