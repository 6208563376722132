// SPDX-License-Identifier: Apache-2.0

import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { ServerReflection, ServerReflectionAlpha } from "@pawl/protocol";
import type { DescriptorIndex } from "./descriptor-index.js";

/** A question, in the form that both versions of the service have in common. */
type Question =
  | {
      readonly case:
        | "fileByFilename"
        | "fileContainingSymbol"
        | "allExtensionNumbersOfType"
        | "listServices";
      readonly value: string;
    }
  | {
      readonly case: "fileContainingExtension";
      readonly value: { readonly containingType: string; readonly extensionNumber: number };
    }
  | { readonly case: undefined; readonly value?: undefined };

type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | {
      case: "allExtensionNumbersResponse";
      value: { baseTypeName: string; extensionNumber: number[] };
    }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** gRPC reflection, version 1: lets grpcurl and the like work without proto files. */
export function createReflectionService(
  index: DescriptorIndex,
): ServiceImpl<typeof ServerReflection> {
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const messageResponse = answer(index, request.messageRequest);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
}

/** The older version of the same service, which several tools still ask first. */
export function createReflectionAlphaService(
  index: DescriptorIndex,
): ServiceImpl<typeof ServerReflectionAlpha> {
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const messageResponse = answer(index, request.messageRequest);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
}

function answer(index: DescriptorIndex, question: Question): Answer {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: index.serviceNames.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return files(index.filesNamed(question.value), question.value);
    case "fileContainingSymbol":
      return files(index.filesDefining(question.value), question.value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const found = index.filesExtending(containingType, extensionNumber);
      return files(found, `${containingType} ${extensionNumber}`);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(question.value);
      return extensionNumber === undefined
        ? failure(Code.NotFound, `not found: ${question.value}`)
        : {
            case: "allExtensionNumbersResponse",
            value: { baseTypeName: question.value, extensionNumber },
          };
    }
    case undefined:
      return failure(Code.InvalidArgument, "the request asks for nothing");
  }
}

function files(fileDescriptorProto: Uint8Array[] | undefined, asked: string): Answer {
  return fileDescriptorProto === undefined
    ? failure(Code.NotFound, `not found: ${asked}`)
    : { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
