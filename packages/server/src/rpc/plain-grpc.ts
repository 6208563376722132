// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { DescService } from "@bufbuild/protobuf";
import {
  type ConnectError,
  type ConnectRouterOptions,
  createServiceImplSpec,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { TurnoverSet } from "@pawl/protocol";
import type { DetailRule, FailureReport } from "../interceptor/error.js";
import { MessageCount } from "../limit/message-count.js";
import type { StreamHandler } from "../listen.js";
import type { FieldRules } from "./foreign-fields.js";
import { PlainCall } from "./plain-call.js";
import type { PlainMethod, RequestCheck } from "./plain-method.js";

/** How a service is served: as by Connect's router, and what plain calls have beyond it. */
export interface ServiceOptions extends Partial<ConnectRouterOptions> {
  /** Fields to be left out of requests, by the request's type; see `withoutForeignFields`. */
  readonly rules?: ReadonlyMap<string, FieldRules>;
  /** See `PlainMethod`. */
  readonly passes?: RequestCheck;
}

/**
 * A shorter way for gRPC calls with one message in the request: unary ones, and streams of answers.
 * Connect's handlers serve every protocol, kind and compression through chains of asynchronous
 * iterators, which costs the server several times what a worker's call otherwise does. Here such a
 * call goes from HTTP/2 stream to service and back. Interceptors, limits, deadlines, errors and their
 * details are the same; what is not plain is left to Connect.
 */
export class PlainGrpc implements StreamHandler {
  readonly #methods = new Map<string, PlainMethod>();
  readonly #open = new TurnoverSet<PlainCall>();
  readonly #report: FailureReport;
  readonly #hasDetail: DetailRule;
  readonly #errors: Interceptor;

  /**
   * @param report told of every failure
   * @param errors the interceptor that does for other calls what is done here for unary ones without it
   */
  constructor(report: FailureReport, hasDetail: DetailRule, errors: Interceptor) {
    this.#report = report;
    this.#hasDetail = hasDetail;
    this.#errors = errors;
  }

  /** Serves what it can of a service. */
  add<Service extends DescService>(
    service: Service,
    implementation: Partial<ServiceImpl<Service>>,
    { interceptors = [], readMaxBytes = Number.POSITIVE_INFINITY, rules, passes }: ServiceOptions,
  ): void {
    for (const spec of Object.values(createServiceImplSpec(service, implementation).methods)) {
      const procedure = `${service.typeName}/${spec.method.name}`;
      const isDetailed = this.#hasDetail(service);
      const ruled = { report: this.#report, rules: rules?.get(spec.method.input.typeName) };
      const messages = new MessageCount(spec.method.input);
      const served = { procedure, readMaxBytes, messages, isDetailed, passes, ...ruled };
      if (spec.kind === "unary") {
        const others = interceptors.filter((interceptor) => interceptor !== this.#errors);
        this.#methods.set(`/${procedure}`, { ...served, spec, interceptors: others });
      } else if (spec.kind === "server_streaming") {
        this.#methods.set(`/${procedure}`, { ...served, spec, interceptors });
      }
    }
  }

  /** A method with one message in the request, by service and name. */
  find(procedure: string): PlainMethod | undefined {
    return this.#methods.get(`/${procedure}`);
  }

  /** Whether these are the headers of a plain call. */
  takes(headers: IncomingHttpHeaders): boolean {
    return this.#methods.has(headers[":path"] ?? "") && isPlain(headers);
  }

  /** Answers a plain call. */
  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const method = this.#methods.get(headers[":path"] ?? "");
    if (method === undefined) {
      throw new Error("no such method");
    }
    const call = new PlainCall(method, stream, headers, () => this.#open.delete(place, call));
    const place = this.#open.add(call);
  }

  /** Gives every open call up. */
  stop(reason: ConnectError): void {
    for (const [, call] of this.#open) {
      call.abort(reason);
    }
  }
}

/** Hosts of which a URL can be made, as it is needed for a call. */
const plainAuthority = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
const plainTimeout = /^\d{1,8}[HMSmun]$/;

/** True when nothing about a call needs Connect's handlers, which also word every refusal. */
function isPlain(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  const encoding = headers["grpc-encoding"];
  const timeout = headers["grpc-timeout"];
  return (
    (type === "application/grpc" || type === "application/grpc+proto") &&
    headers[":method"] === "POST" &&
    (encoding === undefined || encoding === "identity") &&
    (timeout === undefined || (typeof timeout === "string" && plainTimeout.test(timeout))) &&
    headers.expect === undefined &&
    plainAuthority.test(headers[":authority"] ?? "")
  );
}
