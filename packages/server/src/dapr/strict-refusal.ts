// SPDX-License-Identifier: Apache-2.0

import { Code } from "@connectrpc/connect";

/**
 * What Dapr's engine refuses, for reasons or with codes that Pawl does not have; thrown only with
 * `--strict-dapr`. The message is Dapr's cause, to which each API adds its own words.
 */
export class StrictRefusal extends Error {
  override readonly name = "StrictRefusal";
  /** The sidecar service's code for it. Dapr's own API answers every failure of an operation alike. */
  readonly connect: Code;

  private constructor(cause: string, connect: Code) {
    super(cause);
    this.connect = connect;
  }

  /** The same after words of the operation that it is about. */
  after(prefix: string): StrictRefusal {
    return new StrictRefusal(`${prefix}${this.message}`, this.connect);
  }

  /** A plain error of Dapr's engine, to which gRPC gives no code of its own. */
  static plain(cause: string): StrictRefusal {
    return new StrictRefusal(cause, Code.Unknown);
  }

  /** No worker has come in time (dapr/dapr, pkg/messages/predefined.go: ErrActorNoAddress). */
  static noWorker(): StrictRefusal {
    const cause =
      "failed to lookup actor: api error: code = FailedPrecondition desc = did not find address for actor";
    return new StrictRefusal(cause, Code.FailedPrecondition);
  }

  /** The instance is stalled. */
  static stalled(): StrictRefusal {
    return StrictRefusal.plain("workflow is stalled");
  }
}
