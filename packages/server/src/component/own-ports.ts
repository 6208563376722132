// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { EngineError } from "@pawl/engine";
import type { HttpHandler, HttpRequest, Listener, StreamHandler } from "../listen.js";
import type { ServerLogger } from "../options.js";
import type { Components } from "./components.js";
import { componentHeader } from "./name.js";

/**
 * Ports that stand for a component: on them, a call that names none, or `dapr`, means that one. So
 * workers and clients that can send no header reach it at an address of its own.
 */
export class OwnPorts {
  /** Also of ports that are closed: what still comes from one must not fall to the built-in component. */
  readonly #names = new Map<number, string>();
  readonly #open = new Set<number>();
  /** The end of what is under way: ports are opened and closed one after the other. */
  #followed: Promise<void> = Promise.resolve();
  #stop: () => void = () => {};

  /** Names the component of a request's port in its headers, unless they name one. */
  guard(handler: HttpHandler): HttpHandler {
    return (request, response) => {
      if (this.#names.size > 0) this.#name(request.headers, portOf(request));
      handler(request, response);
    };
  }

  /** The same for streams. */
  guardStreams(handler: StreamHandler): StreamHandler {
    return {
      takes: (headers) => handler.takes(headers),
      handle: (stream, headers) => {
        if (this.#names.size > 0) this.#name(headers, portOfStream(stream));
        handler.handle(stream, headers);
      },
    };
  }

  /**
   * Opens the ports of components, and from then on follows their changes; a port that cannot be opened
   * later on is logged.
   * @throws INVALID_ARGUMENT when one cannot be opened now
   */
  async open(
    components: Components,
    listener: Pick<Listener, "listen" | "unlisten">,
    host: string,
    log: ServerLogger,
  ): Promise<void> {
    const opened = this.#follow(components, listener, host, (error) => {
      throw error;
    });
    this.#followed = opened.catch(() => {});
    this.#stop = components.onChange(() => {
      this.#followed = this.#followed.then(() =>
        this.#follow(components, listener, host, ({ message }) => log.error({}, message)),
      );
    });
    await opened;
  }

  /** Opens no more ports. */
  close(): void {
    this.#stop();
  }

  #name(headers: IncomingHttpHeaders, port: number | undefined): void {
    const name = port === undefined ? undefined : this.#names.get(port);
    if (name !== undefined) headers[componentHeader] ??= name;
  }

  async #follow(
    components: Components,
    listener: Pick<Listener, "listen" | "unlisten">,
    host: string,
    onFailure: (error: EngineError) => void,
  ): Promise<void> {
    const wanted = new Map<number, string>();
    for (const { name, port } of components.list()) {
      if (port !== undefined) wanted.set(port, name);
    }
    for (const port of this.#open) {
      if (wanted.get(port) === this.#names.get(port)) continue;
      this.#open.delete(port);
      listener.unlisten(port);
    }
    for (const [port, name] of wanted) {
      if (this.#open.has(port)) continue;
      try {
        await listener.listen(host, port);
        this.#names.set(port, name);
        this.#open.add(port);
      } catch (error) {
        onFailure(notOpened(port, name, error));
      }
    }
  }
}

function notOpened(port: number, component: string, error: unknown): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError(
    "INVALID_ARGUMENT",
    `the port ${port} of the component "${component}" cannot be opened: ${reason}`,
    { details: { component, port: String(port) }, cause: error },
  );
}

function portOf(request: HttpRequest): number | undefined {
  return "stream" in request ? portOfStream(request.stream) : request.socket.localPort;
}

function portOfStream({ session }: ServerHttp2Stream): number | undefined {
  return session?.socket.localPort;
}
