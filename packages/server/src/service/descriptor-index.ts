// SPDX-License-Identifier: Apache-2.0

import {
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The proto files behind a set of services, found by name and by what they define. */
export class DescriptorIndex {
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();
  readonly #extensions: DescExtension[] = [];
  readonly #encoded = new Map<DescFile, Uint8Array>();
  /** Full names of the services. */
  readonly serviceNames: readonly string[];

  constructor(services: readonly DescService[]) {
    this.serviceNames = services.map((service) => service.typeName).sort();
    for (const service of services) {
      this.#addFile(service.file);
    }
  }

  /** The file of this name and all that it imports, encoded; `undefined` when there is none. */
  filesNamed(name: string): Uint8Array[] | undefined {
    return this.#withImports(this.#files.get(name));
  }

  /** The file that defines a message, enum, service, method, field or extension, and its imports. */
  filesDefining(symbol: string): Uint8Array[] | undefined {
    return this.#withImports(this.#symbols.get(symbol));
  }

  /** The file that extends a message with a field of this number, and its imports. */
  filesExtending(message: string, fieldNumber: number): Uint8Array[] | undefined {
    const extension = this.#extensions.find(
      (candidate) => candidate.extendee.typeName === message && candidate.number === fieldNumber,
    );
    return this.#withImports(extension?.file);
  }

  /** Numbers of the extensions of a message; `undefined` when there is no such message. */
  extensionNumbers(message: string): number[] | undefined {
    if (!this.#symbols.has(message)) {
      return undefined;
    }
    return this.#extensions
      .filter((extension) => extension.extendee.typeName === message)
      .map((extension) => extension.number);
  }

  #addFile(file: DescFile): void {
    if (this.#files.has(file.proto.name)) {
      return;
    }
    this.#files.set(file.proto.name, file);
    for (const service of file.services) {
      this.#symbols.set(service.typeName, file);
      for (const method of service.methods) {
        this.#symbols.set(`${service.typeName}.${method.name}`, file);
      }
    }
    for (const type of file.enums) {
      this.#symbols.set(type.typeName, file);
    }
    this.#addExtensions(file.extensions, file);
    for (const message of file.messages) {
      this.#addMessage(message, file);
    }
    for (const imported of file.dependencies) {
      this.#addFile(imported);
    }
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#symbols.set(message.typeName, file);
    for (const field of message.fields) {
      this.#symbols.set(`${message.typeName}.${field.name}`, file);
    }
    for (const type of message.nestedEnums) {
      this.#symbols.set(type.typeName, file);
    }
    this.#addExtensions(message.nestedExtensions, file);
    for (const nested of message.nestedMessages) {
      this.#addMessage(nested, file);
    }
  }

  #addExtensions(extensions: readonly DescExtension[], file: DescFile): void {
    for (const extension of extensions) {
      this.#symbols.set(extension.typeName, file);
      this.#extensions.push(extension);
    }
  }

  #withImports(file: DescFile | undefined): Uint8Array[] | undefined {
    if (file === undefined) {
      return undefined;
    }
    const reached = new Set([file]);
    for (const next of reached) {
      for (const imported of next.dependencies) {
        reached.add(imported);
      }
    }
    return [...reached].map((each) => this.#encode(each));
  }

  #encode(file: DescFile): Uint8Array {
    const encoded = this.#encoded.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
    this.#encoded.set(file, encoded);
    return encoded;
  }
}
