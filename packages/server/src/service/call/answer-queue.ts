// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type CallResponse, CallResponseSchema, type UnaryAnswer } from "@pawl/protocol";

/** Bytes of answers after which a message is sent off rather than filled further. */
const messageBytes = 1024 * 1024;

/** Bytes that an answer takes beside what it says: its details, were it an error. */
const answerBytes = 256;

/** Answers on their way to one stream: those that are ready together leave as one message. */
export class AnswerQueue {
  #ready: UnaryAnswer[] = [];
  #sizeBytes = 0;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  /** Bytes of answers that nobody has taken. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Adds an answer; after `end` it is dropped. */
  push(answer: UnaryAnswer): void {
    if (!this.#hasEnded) {
      this.#ready.push(answer);
      this.#sizeBytes += sizeOf(answer);
      this.#wake?.();
    }
  }

  /** Ends the stream behind what is queued. May be called twice. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  /** Waits for answers and takes all that are there; `undefined` at the end. For one reader. */
  async take(): Promise<CallResponse[] | undefined> {
    while (this.#ready.length === 0) {
      if (this.#hasEnded) {
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const taken = this.#ready;
    this.#ready = [];
    this.#sizeBytes = 0;
    return toMessages(taken);
  }
}

function toMessages(answers: readonly UnaryAnswer[]): CallResponse[] {
  let filling = create(CallResponseSchema);
  let filledBytes = 0;
  const messages = [filling];
  for (const answer of answers) {
    if (filledBytes >= messageBytes) {
      filling = create(CallResponseSchema);
      filledBytes = 0;
      messages.push(filling);
    }
    filling.answers.push(answer);
    filledBytes += sizeOf(answer);
  }
  return messages;
}

/** About what an answer takes. */
function sizeOf({ result }: UnaryAnswer): number {
  const contentBytes =
    result.case === "response" ? result.value.byteLength : (result.value?.message.length ?? 0);
  return answerBytes + contentBytes;
}
