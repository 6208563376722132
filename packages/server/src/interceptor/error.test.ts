// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { EngineError } from "@pawl/engine";
import { ErrorDetailSchema, errorCodes } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { DaprError } from "../dapr/error.js";
import { errorMap } from "../error-map.js";
import { setGrpcStatus } from "../rpc/grpc-status.js";
import { toConnectError } from "./error.js";

function detailOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorDetailSchema)[0]?.code;
}

describe("toConnectError()", () => {
  test.each(errorCodes)("gives %s its code and facts", (code) => {
    const sent = toConnectError(new EngineError(code, "text", { details: { instanceId: "a" } }));

    expect(sent.code).toBe(errorMap[code].connect);
    expect(detailOf(sent)).toBe(code);
    if (code === "INTERNAL") {
      expect(sent.rawMessage).not.toContain("text");
    } else {
      expect(sent.rawMessage).toBe("text");
      expect(sent.findDetails(ErrorDetailSchema)[0]?.facts).toEqual({ instanceId: "a" });
    }
  });

  test("answers a cancelled wait with the reason that the call has", () => {
    const call = new AbortController();
    call.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));

    const sent = toConnectError(new EngineError("CANCELLED", "cancelled"), { signal: call.signal });

    expect(sent.code).toBe(Code.DeadlineExceeded);
    expect(detailOf(sent)).toBe("DEADLINE_EXCEEDED");
  });

  test("answers a service that gave up with the reason that the call has", () => {
    const call = new AbortController();
    call.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
    const error = new DOMException("aborted", "AbortError");

    expect(toConnectError(error, { signal: call.signal }).code).toBe(Code.DeadlineExceeded);
    expect(toConnectError(error).code).toBe(Code.Canceled);
  });

  test("tells each of the calls that end together its own facts", () => {
    const call = new AbortController();
    call.abort(new ConnectError("shutting down", Code.Unavailable));
    const send = (instanceId: string): unknown =>
      toConnectError(new EngineError("CANCELLED", "x", { details: { instanceId } }), {
        signal: call.signal,
      }).findDetails(ErrorDetailSchema)[0]?.facts;

    expect([send("a"), send("b")]).toEqual([{ instanceId: "a" }, { instanceId: "b" }]);
  });

  test("keeps the words of a Dapr error", () => {
    const error = new EngineError("INSTANCE_NOT_FOUND", "x");
    const sent = toConnectError(DaprError.from(error, "get", { subject: "a" }, "a"));

    expect(sent.code).toBe(Code.NotFound);
    expect(sent.rawMessage).toBe("unable to find workflow with the provided instance ID: a");
    expect(detailOf(sent)).toBe("INSTANCE_NOT_FOUND");
  });

  test.each([
    ["decompression failed", Code.Internal],
    ["decompression failed", Code.InvalidArgument],
    ["parse binary: premature EOF", Code.Internal],
    ["cannot decode message a.B from JSON: x", Code.InvalidArgument],
  ])("blames the caller's message for %s, with whatever code", (text, code) => {
    const sent = toConnectError(new ConnectError(text, code));

    expect([sent.code, detailOf(sent)]).toEqual([Code.InvalidArgument, "MALFORMED_REQUEST"]);
  });

  test("keeps gRPC's code for a compressed message of an unnamed compression", () => {
    const text = "received compressed envelope, but do not know how to decompress";
    const sent = toConnectError(new ConnectError(text, Code.Internal));

    expect([sent.code, detailOf(sent)]).toEqual([Code.Internal, "MALFORMED_REQUEST"]);
  });

  test("takes a stream that broke for a caller that hung up", () => {
    const error = Object.assign(new Error("x"), { code: "ERR_STREAM_PREMATURE_CLOSE" });

    expect(toConnectError(error).code).toBe(Code.Canceled);
  });

  test.each([new TypeError("secret"), "secret", undefined])("hides %s", (error) => {
    const sent = toConnectError(error);

    expect(sent.code).toBe(Code.Internal);
    expect(sent.rawMessage).not.toContain("secret");
    expect(detailOf(sent)).toBe("INTERNAL");
  });

  test("leaves the detail out where it is not wanted", () => {
    const sent = toConnectError(new EngineError("INSTANCE_NOT_ENDED", "x"), { isDetailed: false });

    expect(sent.code).toBe(Code.FailedPrecondition);
    expect(sent.details).toEqual([]);
  });

  test("adds one detail only", () => {
    const sent = toConnectError(toConnectError(new ConnectError("x", Code.Unimplemented)));

    expect(sent.findDetails(ErrorDetailSchema).map((detail) => detail.code)).toEqual([
      "UNIMPLEMENTED",
    ]);
  });

  test("cuts a message, facts and details that headers could not carry", () => {
    const details = { instanceId: "é".repeat(40_000) };
    const sent = toConnectError(
      new EngineError("INSTANCE_NOT_FOUND", "é".repeat(40_000), { details }),
    );
    const [{ facts = {} } = {}] = sent.findDetails(ErrorDetailSchema);

    expect(sent.rawMessage).toBe(`${"é".repeat(506)}... (80000 bytes)`);
    expect(toConnectError(sent).rawMessage).toBe(sent.rawMessage);
    expect(facts.instanceId).toBe(`${"é".repeat(240)}... (80000 bytes)`);

    const library = new ConnectError("broken rules", Code.InvalidArgument);
    library.details.push({ type: "x.Violations", value: new Uint8Array(100_000) });
    expect(toConnectError(library).details).toHaveLength(1);
  });

  test.each(["é", "語", "\u0000", "%", "x", '"', "😀"])(
    "makes of an error full of %j headers that every gRPC client takes",
    (character) => {
      const text = character.repeat(40_000);
      const error = new EngineError("INSTANCE_NOT_FOUND", text, { details: { a: text, b: text } });
      const headers = setGrpcStatus(new Headers(), toConnectError(error));
      // As HTTP/2 counts them (RFC 9113, section 6.5.2); what gRPC's C core takes at the least.
      const sizes = [...headers].map(([name, value]) => name.length + value.length + 32);
      expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(8192);
      expect(decodeURIComponent(headers.get("grpc-message") ?? "")).toMatch(/ bytes\)$/);
    },
  );

  test("leaves no half of a character, which gRPC's headers cannot carry", () => {
    const sent = toConnectError(new EngineError("INSTANCE_NOT_FOUND", "no \ud83d"));

    expect(sent.rawMessage).toBe("no \ufffd");
  });
});
