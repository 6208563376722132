// SPDX-License-Identifier: Apache-2.0

import {
  createServer as createHttp1Server,
  type Server as Http1Server,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  TLSSocket,
  type Server as TlsServer,
} from "node:tls";
import type { Refusal } from "./auth/refusal.js";
import { AddressLimit } from "./limit/address-limit.js";
import { Exchanges } from "./limit/exchanges.js";
import { checkHeaders, type HeaderCheck, toleratedHeaders } from "./limit/header-limit.js";
import { type ListenLimits, listenDefaults } from "./limit/listen-limits.js";
import { sniffProtocol } from "./preface.js";
import { Sessions } from "./sessions.js";
import type { TlsMaterial } from "./tls/tls-files.js";

/** A request over HTTP/1.1 or HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** A response over HTTP/1.1 or HTTP/2. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Answers requests. Must not throw. */
export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

/**
 * Answers HTTP/2 streams of which no request is made. An `HttpHandler` never sees these: what guards
 * the one has to guard the other. Must not throw.
 */
export interface StreamHandler {
  /** Whether it answers streams with these headers. Changes nothing. */
  takes(headers: IncomingHttpHeaders): boolean;
  /** Answers a stream that it takes. */
  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
}

/** Bytes that a peer may send on one HTTP/2 stream before it waits for us to read. */
const streamWindowBytes = 1024 * 1024;

/** Megabytes that one HTTP/2 connection may use before it takes no more streams. */
const sessionMemoryMb = 256;

/**
 * Serves HTTP/1.1 and HTTP/2 in cleartext on the same ports. Node's own servers speak one of the
 * two, so a plain TCP server looks at the first bytes and hands the connection on.
 */
export class Listener {
  readonly #limits: ListenLimits;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #sessions: Sessions;
  readonly #exchanges: Exchanges;
  readonly #addresses: AddressLimit;
  readonly #openEnded: ReadonlySet<string>;
  readonly #checkHeaders: HeaderCheck;
  readonly #ports = new Map<number, Server>();
  readonly #undecided = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #tls: TlsServer | undefined;
  #closing = false;

  /**
   * @param streams asked first about every HTTP/2 stream
   * @param openEnded paths to which requests may go on for ever
   * @param check how headers are held to their limits
   */
  constructor(
    handler: HttpHandler,
    limits: Partial<ListenLimits> = {},
    streams: StreamHandler | undefined = undefined,
    openEnded: ReadonlySet<string> = new Set(),
    check = checkHeaders,
  ) {
    this.#limits = { ...listenDefaults, ...limits };
    this.#checkHeaders = check;
    this.#sessions = new Sessions(this.#limits);
    this.#addresses = new AddressLimit(this.#limits.connectionsPerAddress);
    this.#exchanges = new Exchanges(this.#limits);
    this.#http1 = this.#createHttp1(handler);
    this.#openEnded = openEnded;
    this.#http2 = this.#createHttp2(handler, streams);
  }

  /**
   * Listens on one more port (0: any free one) and resolves with its number.
   * Rejects with Node's error (EADDRINUSE, EACCES, …).
   */
  async listen(host: string, port: number): Promise<number> {
    const server = createTcpServer(
      { noDelay: true, keepAlive: true, allowHalfOpen: true },
      (socket) => this.#accept(socket),
    );
    server.maxConnections = this.#limits.connections;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    const address = server.address();
    const bound = typeof address === "object" && address !== null ? address.port : port;
    this.#ports.set(bound, server);
    if (this.#closing) server.close();
    return bound;
  }

  /** Takes no more connections on a port, and cuts those that are open. */
  unlisten(port: number): void {
    this.#ports.get(port)?.close();
    this.#ports.delete(port);
    for (const socket of this.#sockets) {
      if (socket.localPort === port) socket.destroy();
    }
  }

  /**
   * From now on new connections must be TLS with this certificate; those that are open stay. Whether
   * callers need a certificate is settled by the first call.
   */
  useTls(material: TlsMaterial): void {
    if (this.#tls === undefined) {
      this.#tls = this.#createTls(material);
    } else {
      this.#tls.setSecureContext(tlsOptions(material));
    }
  }

  /**
   * Takes no more connections and requests, lets the open ones end, and cuts those that have not
   * after `graceMs`.
   */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const closed = [...this.#ports.values()].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const socket of this.#undecided) {
      socket.destroy();
    }
    this.#http1.closeIdleConnections();
    this.#sessions.close();
    const timer = setTimeout(() => {
      // Not the HTTP/2 sessions: one that has said goodbye holds its socket until the peer hangs up.
      for (const socket of this.#sockets) {
        socket.destroy();
      }
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(timer);
    this.#exchanges.close();
    this.#http1.close(() => {});
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    if (!this.#addresses.take(address)) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#undecided.add(socket);
    socket.once("close", () => {
      this.#addresses.giveBack(address);
      this.#sockets.delete(socket);
      this.#undecided.delete(socket);
    });
    sniffProtocol(socket, this.#limits.peekTimeoutMs, (protocol) => {
      this.#undecided.delete(socket);
      if (this.#tls === undefined) {
        // Over cleartext, what looks like TLS is answered as the bad HTTP/1.1 request that it is.
        this.#serve(socket, protocol === "http2" ? "http2" : "http1");
      } else if (protocol === "tls") {
        this.#tls.emit("connection", socket);
      } else {
        refuseCleartext(socket);
      }
    });
  }

  #serve(socket: Socket, protocol: "http1" | "http2"): void {
    // An HTTP/1.1 client may close its half after its request and still wait for the answer. An
    // HTTP/2 peer that does so is gone, a killed worker for instance.
    socket.allowHalfOpen = protocol === "http1";
    (protocol === "http2" ? this.#http2 : this.#http1).emit("connection", socket);
    if (protocol === "http1" && socket instanceof TLSSocket) {
      readAsStream(socket);
    }
  }

  #createTls(material: TlsMaterial): TlsServer {
    const server = createTlsServer(
      {
        ...tlsOptions(material),
        ALPNProtocols: ["h2", "http/1.1"],
        handshakeTimeout: this.#limits.peekTimeoutMs,
        requestCert: material.ca !== undefined,
      },
      (socket) => this.#serve(socket, socket.alpnProtocol === "h2" ? "http2" : "http1"),
    );
    // A handshake that fails is the caller's affair; Node has closed its connection by then.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  }

  #createHttp1(handler: HttpHandler): Http1Server {
    const { headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs } = this.#limits;
    const { headerBytes, headerCount } = toleratedHeaders(this.#limits);
    const server = createHttp1Server(
      {
        // Of more than this Node tells by itself, in no form at all.
        maxHeaderSize: headerBytes,
        headersTimeout: headersTimeoutMs,
        requestTimeout: Math.max(requestTimeoutMs, headersTimeoutMs),
        keepAliveTimeout: keepAliveTimeoutMs,
        connectionsCheckingInterval: Math.min(1000, Math.max(50, headersTimeoutMs / 4)),
      },
      (request, response) => {
        // A connection that was at work when `close` was called is closed as soon as it idles.
        response.once("close", () => {
          if (this.#closing) {
            setImmediate(() => server.closeIdleConnections());
          }
        });
        this.#exchanges.addResponse(request, response);
        const refusal = this.#refusalOf(request.url, request.headers, request.rawHeaders);
        if (refusal === undefined) {
          handler(request, response);
        } else {
          refuseHeaders(request, response, refusal);
        }
      },
    );
    // Some versions of Node drop what is over this in silence: one more, and the excess is seen.
    server.maxHeadersCount = headerCount + 1;
    // Node starts its checks for late headers on this event, which a server that is handed its
    // sockets never gets by itself.
    server.emit("listening");
    return server;
  }

  #createHttp2(handler: HttpHandler, streams: StreamHandler | undefined): Http2Server {
    const { streamsPerConnection, resetBurst, resetsPerSecond } = this.#limits;
    const { headerBytes, headerCount } = toleratedHeaders(this.#limits);
    const server = createHttp2Server({
      maxSessionMemory: sessionMemoryMb,
      maxHeaderListPairs: headerCount,
      streamResetBurst: resetBurst,
      streamResetRate: resetsPerSecond,
      settings: {
        maxConcurrentStreams: streamsPerConnection,
        maxHeaderListSize: headerBytes,
        initialWindowSize: streamWindowBytes,
      },
    });
    // Never listens: it is what makes requests of streams in Node.
    const requests = createHttp2Server(handler);
    server.on("stream", (stream, headers, flags, rawHeaders) => {
      const path = headers[":path"] ?? "";
      this.#exchanges.addStream(stream, this.#openEnded.has(path));
      const refusal = this.#refusalOf(path, headers, rawHeaders);
      if (refusal !== undefined) {
        refuseStream(stream, refusal);
      } else if (streams?.takes(headers) === true) {
        streams.handle(stream, headers);
      } else {
        requests.emit("stream", stream, headers, flags, rawHeaders);
      }
    });
    server.on("session", (session) => this.#sessions.add(session));
    return server;
  }

  #refusalOf(
    path: string | undefined,
    headers: IncomingHttpHeaders,
    raw: readonly string[],
  ): Refusal | undefined {
    return this.#checkHeaders(path ?? "", headers, raw, this.#limits);
  }
}

/**
 * Has Node read an HTTP/1.1 connection through its stream, which a listener brings about. Else its
 * parser sits on the handle, and while an answer waits to be sent it is paused; TLS hands it the next
 * record of what it has read all the same, and the connection is cut with "Parse Error: Paused".
 */
function readAsStream(socket: TLSSocket): void {
  socket.on("data", () => {});
}

function tlsOptions({ cert, key, ca }: TlsMaterial): SecureContextOptions {
  return { cert, key, minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) };
}

/**
 * Answers a stream that is not let in. Its peer may have broken it off by now, which Node takes for a
 * mistake of whoever answers.
 */
export function refuseStream(stream: ServerHttp2Stream, refusal: Refusal): void {
  const { status, headers, body, resetCode } = refusal;
  stream.on("error", () => {});
  if (stream.destroyed || stream.closed) {
    return;
  }
  if (resetCode !== undefined) {
    stream.close(resetCode);
    return;
  }
  stream.resume();
  // What gRPC has to say is in the headers then, and they must be the end: its clients do not look for a
  // status in headers that something follows, be it nothing.
  const endStream = body.length === 0;
  stream.respond({ ":status": status, ...headers }, { endStream });
  if (!endStream) {
    stream.end(body);
  }
  setImmediate(() => {
    if (!stream.readableEnded) {
      // What the caller has still to send is of no use.
      stream.close(constants.NGHTTP2_NO_ERROR);
    }
  });
}

function refuseHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Refusal,
): void {
  request.resume();
  const length = Buffer.byteLength(body);
  response.writeHead(status, { ...headers, "content-length": length, connection: "close" });
  response.end(body);
}

/** Says in cleartext HTTP, which whoever gets it speaks, that only TLS is spoken here. */
function refuseCleartext(socket: Socket): void {
  const text = "this port speaks TLS; use https\n";
  socket.on("error", () => {});
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
    () => socket.destroy(),
  );
}
