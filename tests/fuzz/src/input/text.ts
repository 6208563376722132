// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";

/** Ids and names that have broken other systems. */
const hostile = [
  "",
  ".",
  "..",
  "../../../etc/passwd",
  "..\\..\\x",
  "%2e%2e%2f",
  "%00",
  "\u0000",
  "a\u0000b",
  "\n",
  "a\r\nx-evil: 1",
  "\u00ff",
  "\u202eabc",
  "\ufeffa",
  "\ud800",
  "canary",
  "Witness-1f7",
  "witnеss-1f7",
  "witness-1f7 ",
  "witness-1f7/",
  "witness-1f7\u0000",
  "witness-1f7:0001",
  "witness-1f",
  "a||b|c@d",
  "__proto__",
  "constructor",
  "toString",
  "{}",
  '"',
  "'; DROP TABLE x; --",
  "a".repeat(64),
  "a".repeat(65),
  "ä".repeat(33),
  "a".repeat(513),
  "💥".repeat(200),
  "x".repeat(9_000),
];

/** Text for an id, a name or a payload: known trouble, or anything. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostile) },
  { weight: 2, arbitrary: fc.string({ maxLength: 30, unit: "binary" }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 30 }) },
  { weight: 1, arbitrary: fc.json() },
);

/** The same in a path, escaped rightly, wrongly or not at all. */
export const hostileSegment: fc.Arbitrary<string> = fc
  .tuple(hostileText, fc.nat(3))
  .map(([text, escapes]) => {
    const wellFormed = text.toWellFormed();
    const once = encodeURIComponent(wellFormed);
    const forms = [
      once,
      encodeURIComponent(once),
      encodeURI(wellFormed),
      once.replaceAll("%2F", "/"),
    ];
    return forms[escapes] ?? once;
  });

const fields = [
  "instanceId",
  "instanceID",
  "instance_id",
  "workflow",
  "workflowName",
  "name",
  "input",
  "eventName",
  "eventData",
  "output",
  "options",
  "tags",
  "pageSize",
  "pageToken",
  "startAt",
  "statuses",
  "recursive",
  "@type",
  "__proto__",
];

/** The same as JSON that nobody wants: deep, broken, repeated, enormous. */
export const hostileJson: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: fc.json().map((text) => Buffer.from(text)) },
  { weight: 4, arbitrary: requestJson().map((text) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(requestJson(), fc.nat(80))
      .map(([text, at]) => Buffer.from(text.slice(0, at))),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 20_000 }).map((depth) => Buffer.from("[".repeat(depth))),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 3_000 })
      .map((depth) => Buffer.from('{"input":'.repeat(depth))),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => Buffer.concat([Buffer.from('{"input":"'), bytes, Buffer.from('"}')])),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("9".repeat(400), "1e999", "-0", "NaN", '"\\ud800"', '{"a":1,"a":2}', "\ufeff{}")
      .map((text) => Buffer.from(text)),
  },
);

/** An object with the fields that requests have, and values that they do not. */
function requestJson(): fc.Arbitrary<string> {
  const value = fc.oneof(
    hostileText,
    fc.integer(),
    fc.double(),
    fc.constant(null),
    fc.boolean(),
    fc.array(hostileText, { maxLength: 3 }),
    fc.dictionary(hostileText, hostileText, { maxKeys: 3 }),
  );
  return fc
    .array(fc.tuple(fc.constantFrom(...fields), value), { maxLength: 5 })
    .map(
      (entries) =>
        `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item)}`).join(",")}}`,
    );
}
