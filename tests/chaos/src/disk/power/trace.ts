// SPDX-License-Identifier: Apache-2.0

/** A change of files, or an acknowledgement, in the order in which a traced process did them. */
export type Operation =
  | { readonly kind: "open"; readonly fd: number; readonly path: string; readonly flags: string }
  | { readonly kind: "close"; readonly fd: number }
  | {
      readonly kind: "write";
      readonly fd: number;
      readonly bytes: Uint8Array;
      /** Undefined: where the last write ended. */
      readonly at: number | undefined;
    }
  | { readonly kind: "truncate"; readonly fd: number; readonly length: number }
  | { readonly kind: "sync"; readonly fd: number }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "unlink" | "mkdir" | "rmdir"; readonly path: string };

/** The calls that `parseTrace` understands; all others that change files would be missed. */
export const tracedCalls = [
  ...["openat", "open", "creat", "close", "write", "pwrite64", "writev", "pwritev"],
  ...["ftruncate", "truncate", "fsync", "fdatasync", "rename", "renameat", "renameat2"],
  ...["unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat", "fallocate"],
];

/**
 * Reads what `strace -f -xx` wrote. Calls stand where they ended, for only then is what they did sure,
 * but for writes to standard output, which stand where they began: those are the acknowledgements.
 * Throws when a call that changes files is one that it does not know.
 */
export function parseTrace(text: string): Operation[] {
  const operations: Operation[] = [];
  const unfinished = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    if (begun !== undefined) {
      unfinished.set(pid, begun);
      if (begun.startsWith("write(1,")) operations.push(...readCall(`${begun}) = ${begun.length}`));
      continue;
    }
    if (resumed === undefined) {
      operations.push(...readCall(rest));
      continue;
    }
    const whole = `${unfinished.get(pid) ?? ""}${resumed}`;
    unfinished.delete(pid);
    if (!whole.startsWith("write(1,")) operations.push(...readCall(whole));
  }
  return operations;
}

function readCall(call: string): Operation[] {
  const [, name = "", text = "", result = "-1"] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(call) ?? [];
  const status = Number(result);
  // What failed has changed nothing; signals and exits are no calls.
  if (name === "" || status < 0) return [];
  const [first = "", second = "", third = "", fourth = ""] = text.split(", ");
  switch (name) {
    case "openat":
      return [{ kind: "open", fd: status, path: string(second), flags: third }];
    case "open":
      return [{ kind: "open", fd: status, path: string(first), flags: second }];
    case "close":
      return [{ kind: "close", fd: Number(first) }];
    case "write":
      return [{ kind: "write", fd: Number(first), bytes: written(second, status), at: undefined }];
    case "pwrite64":
      return [
        { kind: "write", fd: Number(first), bytes: written(second, status), at: Number(fourth) },
      ];
    case "ftruncate":
      return [{ kind: "truncate", fd: Number(first), length: Number(second) }];
    case "fsync":
    case "fdatasync":
      return [{ kind: "sync", fd: Number(first) }];
    case "rename":
      return [{ kind: "rename", from: string(first), to: string(second) }];
    case "unlink":
    case "mkdir":
    case "rmdir":
      return [{ kind: name, path: string(first) }];
    default:
      throw new Error(`the trace has a ${name}, whose effect on files is not modelled: ${third}`);
  }
}

function written(argument: string, count: number): Uint8Array {
  return decode(argument).subarray(0, argument.startsWith('"') ? Math.max(count, 0) : 0);
}

function string(argument: string): string {
  return decode(argument).toString("utf8");
}

/** Bytes that strace wrote as \x00\x01… */
function decode(argument: string): Buffer {
  return Buffer.from(argument.replaceAll(/["\\x]/g, ""), "hex");
}
