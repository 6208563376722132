// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "@connectrpc/connect";

/** Open while there is a server: what is asked meanwhile waits, so that no call is wasted. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #isOpen = false;

  /** Lets through who waits and who comes. */
  open(): void {
    this.#isOpen = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Holds up who comes from now on. */
  close(): void {
    this.#isOpen = false;
  }

  /** Resolves when the gate is open. */
  async passed(): Promise<void> {
    while (!this.#isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** A transport whose calls begin only while the gate is open. */
export function throughGate(gate: Gate, transport: Transport): Transport {
  return {
    async unary(...call) {
      await gate.passed();
      return transport.unary(...call);
    },
    async stream(...call) {
      await gate.passed();
      return transport.stream(...call);
    },
  };
}
