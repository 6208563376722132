// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingHttpHeaders } from "node:http";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A span as it came over OTLP. Ids are hex. */
export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  /** 2: failed. */
  readonly statusCode: number;
  readonly service: unknown;
  readonly scope: string;
}

/** An OpenTelemetry collector that keeps what it gets. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  /** The status that it answers with. */
  status = 200;
  readonly #watchers: (() => void)[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(this.status, { "content-type": "application/x-protobuf" }).end();
      if (this.status !== 200 || request.url !== "/base/v1/traces") return;
      this.headers.push(request.headers);
      this.spans.push(...readRequest(Buffer.concat(chunks)));
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  });

  /** Listens; resolves with its URL. */
  open(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.on("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        const port = typeof address === "object" ? address?.port : undefined;
        resolve(`http://127.0.0.1:${port}/base/`);
      });
    });
  }

  /** Resolves when a span of this name has come. */
  async span(name: string): Promise<ReceivedSpan> {
    for (;;) {
      const span = this.spans.find((one) => one.name === name);
      if (span !== undefined) return span;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

type Fields = ReadonlyMap<number, readonly (Uint8Array | bigint)[]>;

/** The fields of a message, by number; opentelemetry-proto's trace.proto says what they are. */
function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, (Uint8Array | bigint)[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Varint) values.push(BigInt(reader.uint64()));
    else if (type === WireType.Bit64) values.push(BigInt(reader.fixed64()));
    else reader.skip(type);
  }
  return fields;
}

function messages(fields: Fields, number: number): Uint8Array[] {
  return (fields.get(number) ?? []).filter((value) => value instanceof Uint8Array);
}

function bytes(fields: Fields, number: number): Uint8Array {
  return messages(fields, number)[0] ?? new Uint8Array();
}

function text(fields: Fields, number: number): string {
  return Buffer.from(bytes(fields, number)).toString();
}

function readRequest(body: Uint8Array): ReceivedSpan[] {
  return messages(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const group = fieldsOf(resourceSpans);
    const service = attributesOf(fieldsOf(bytes(group, 1)), 1)["service.name"];
    return messages(group, 2).flatMap((scopeSpans) => {
      const scoped = fieldsOf(scopeSpans);
      const scope = text(fieldsOf(bytes(scoped, 1)), 1);
      return messages(scoped, 2).map((span) => readSpan(fieldsOf(span), service, scope));
    });
  });
}

function readSpan(span: Fields, service: unknown, scope: string): ReceivedSpan {
  const hex = (number: number): string => Buffer.from(bytes(span, number)).toString("hex");
  return {
    name: text(span, 5),
    kind: Number(span.get(6)?.[0] ?? 0),
    traceId: hex(1),
    spanId: hex(2),
    parentSpanId: hex(4),
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => text(fieldsOf(event), 2)),
    statusCode: Number(fieldsOf(bytes(span, 15)).get(3)?.[0] ?? 0),
    service,
    scope,
  };
}

function attributesOf(fields: Fields, number: number): Record<string, unknown> {
  const entries = messages(fields, number).map((attribute) => {
    const pair = fieldsOf(attribute);
    return [text(pair, 1), anyValueOf(fieldsOf(bytes(pair, 2)))] as const;
  });
  return Object.fromEntries(entries);
}

function anyValueOf(value: Fields): unknown {
  if (value.has(1)) return text(value, 1);
  if (value.has(3)) return Number(value.get(3)?.[0]);
  if (value.has(5)) {
    return messages(fieldsOf(bytes(value, 5)), 1).map((one) => anyValueOf(fieldsOf(one)));
  }
  return undefined;
}
