// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { timer } from "../../test/actions.js";
import { PureInstance, startFacts } from "../../test/pure-instance.js";
import { start } from "../core/command/start.js";
import { openMemoryStore } from "../store/memory-store.js";
import type { MailboxHost } from "./commit/mailbox-host.js";
import type { Mailbox } from "./mailbox.js";
import { Mailboxes } from "./mailboxes.js";

const host: MailboxHost = {
  keepsExecutions: true,
  now: () => 1000,
  nextOutboxSequence: () => 1,
  committed() {},
};

async function open(): Promise<Mailboxes> {
  return new Mailboxes(await openMemoryStore(), host, {
    historyCacheBytes: 1_000_000,
    idleInstances: 2000,
  });
}

function begin(mailbox: Mailbox): Mailbox {
  mailbox.apply(start(mailbox.state, startFacts({ instanceId: mailbox.instanceId }), 1000));
  return mailbox;
}

describe("Mailboxes", () => {
  test("gives everybody the same mailbox, though the first to come lets it go", async () => {
    const mailboxes = await open();
    const refused = mailboxes.run("a", () => {
      throw new Error("refused");
    });
    const begun = mailboxes.run("a", begin);
    const seen = mailboxes.run("a", (mailbox) => mailbox);
    await expect(refused).rejects.toThrow("refused");
    expect(await seen).toBe(await begun);
    expect(mailboxes.peek("a")).toBe(await begun);
  });

  test("keeps no mailbox of an id that nobody has", async () => {
    const mailboxes = await open();
    await Promise.all(["a", "b", "a"].map((id) => mailboxes.run(id, () => {})));
    expect(mailboxes.count()).toBe(0);
  });

  test("keeps a mailbox with unwritten changes", async () => {
    const mailboxes = await open();
    const mailbox = await mailboxes.run("a", begin);
    mailboxes.settle(mailbox);
    expect(mailboxes.peek("a")).toBe(mailbox);
  });

  test("keeps a mailbox until the last of its writes has ended, though one ends before", async () => {
    const mailboxes = await open();
    const mailbox = begin(mailboxes.fresh("a"));
    const first = mailbox.draft([], 1);
    mailbox.apply(new PureInstance({ instanceId: "a" }).decideTurn([timer(0, 60_000)]));
    const second = mailbox.draft([], 2);
    first.committed?.();
    expect(mailbox.isDirty()).toBe(true);
    mailboxes.settle(mailbox);
    expect(mailboxes.peek("a")).toBe(mailbox);
    second.committed?.();
    expect(mailbox.isDirty()).toBe(false);
    mailboxes.settle(mailbox);
    expect(mailboxes.count()).toBe(0);
  });

  test.each([
    ["lets go of a sleeper at once", 60_000, 0],
    ["keeps one that naps, in case it is needed again soon", 5000, 1],
  ])("%s", async (_what, fireAt, count) => {
    const mailboxes = await open();
    const mailbox = begin(mailboxes.fresh("a"));
    mailbox.apply(new PureInstance({ instanceId: "a" }).decideTurn([timer(0, fireAt)]));
    mailbox.draft([], 1).committed?.();
    mailboxes.settle(mailbox);
    expect(mailboxes.count()).toBe(count);
  });

  test("gives an id that is made just now a mailbox without reading", async () => {
    const mailboxes = await open();
    const fresh = mailboxes.fresh("a");
    expect(mailboxes.fresh("a")).toBe(fresh);
    expect(await mailboxes.run("a", (mailbox) => mailbox)).toBe(fresh);
  });
});
