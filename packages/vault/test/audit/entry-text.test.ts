/**
 * Entries as text: one text for an entry, and nothing else is one.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { EntryText } from "../../src/audit/entry.ts";
import { ENTRY_LIMITS, parseEntry, writeEntry } from "../../src/audit/entry-text.ts";

const ID = "269d46fe-509f-41cd-ae47-5958d66d8377";
const tag = (): string => randomBytes(16).toString("base64url");
const HASH = randomBytes(32).toString("base64url");

const SMALL: EntryText = {
  v: 1,
  id: ID as never,
  stream: randomUUID() as never,
  number: 7,
  at: "2026-11-27T23:39:28.320Z",
  action: "read",
  result: "done",
  principal: "token:9f2c",
};

const WHOLE: EntryText = {
  ...SMALL,
  ends: true,
  action: "write",
  purpose: "support",
  collection: "people",
  records: [
    { tag: tag(), version: 3, state: "live", scheme: 2, sha256: HASH, previous: null },
    { tag: tag(), version: null },
    { tag: tag(), version: 1, state: "removed", entry: ID },
  ],
  people: [
    { key: "vault", sealed: randomBytes(60).toString("base64url") },
    { key: randomUUID(), sealed: randomBytes(90).toString("base64url") },
  ],
  kms: [{ region: "eu-west-1", key: "arn:aws:kms:eu-west-1:0:key/1", requestId: "r-1" }],
  export: randomUUID(),
  details: { size: 3, reason: 'a "quoted" reason, søren 🔐', yes: true, none: null, "a.b-c_d": -1.5 },
};

const parse = (text: string): EntryText | null => parseEntry(Buffer.from(text, "utf8"));

test("an entry reads back as it was written, with its members in one order and no spaces", () => {
  for (const entry of [SMALL, WHOLE]) assert.deepEqual(parseEntry(writeEntry(entry)), entry);
  const shuffled = Object.fromEntries(Object.entries(WHOLE).reverse()) as unknown as EntryText;
  assert.deepEqual(writeEntry(shuffled), writeEntry(WHOLE));
  assert.match(
    writeEntry(SMALL).toString(),
    /^\{"v":1,"id":"[^ ]+","stream":"[^ ]+","number":7,"at":"[^ ]+","action":"read","result":"done","principal":"token:9f2c"\}$/,
  );
});

describe("what is no entry", () => {
  const text = writeEntry(WHOLE).toString();
  const changed = (from: string, to: string): string => {
    assert.ok(text.includes(from), from);
    return text.replace(from, to);
  };
  const cases: Readonly<Record<string, string>> = {
    "a space": changed('"v":1,', '"v":1, '),
    "a line behind it": `${text}\n`,
    "a byte order mark": `\ufeff${text}`,
    "another order": changed('"number":7,"ends":true', '"ends":true,"number":7'),
    "another order in a record": changed('"version":null}', '"version":null,"extra":1}'),
    "an unknown member": changed('"v":1,', '"v":1,"w":1,'),
    "a member twice": changed('"number":7,', '"number":7,"number":7,'),
    "a prototype": changed('"details":{', '"details":{"__proto__":1,'),
    "an escape that need not be": changed('"read"'.replace("read", "write"), '"\\u0077rite"'),
    "a number in another form": changed('"number":7', '"number":7.0'),
    "number 0": changed('"number":7', '"number":0'),
    "a number beyond 2^53": changed('"number":7', '"number":9007199254740993'),
    "an end that is none": changed('"ends":true', '"ends":false'),
    "another version": changed('"v":1', '"v":2'),
    "an id that is none": changed(ID, ID.toUpperCase()),
    "a moment that is none": changed("2026-11-27T", "2026-11-31T"),
    "a moment without milliseconds": changed("28.320Z", "28Z"),
    "an action that there is not": changed('"action":"write"', '"action":"constructor"'),
    "a result that is no code": changed('"result":"done"', '"result":"Not done"'),
    "a principal with a line end": changed("token:9f2c", "token:\\n9f2c"),
    "a purpose that is none": changed('"support"', '"Support"'),
    "a collection that is none": changed('"people","records"', '"People","records"'),
    "no records": text.replace(/"records":\[[^\]]*\]/, '"records":[]'),
    "a tag that is too short": text.replace(/"tag":"./, '"tag":"'),
    "a state that there is not": changed('"live"', '"gone"'),
    "a hash that is none": changed(HASH, HASH.slice(1)),
    "a key that is none": changed('"key":"vault"', '"key":"lookup"'),
    "a detail that is a list": changed('"size":3', '"size":[3]'),
    "a detail with a name that is none": changed('"size"', '"0"'),
    "half of a surrogate pair": changed("søren", "\\ud800"),
    "text behind it": `${text}{}`,
    nothing: "",
    "a list": "[]",
    null: "null",
    "another text": "an entry",
    deep: "[".repeat(100_000),
  };
  for (const [name, given] of Object.entries(cases))
    test(name, () => {
      assert.equal(parse(given), null);
    });

  test("every member but those that may be left out is wanted", () => {
    for (const member of Object.keys(SMALL)) {
      const others = Object.fromEntries(Object.entries(SMALL).filter(([name]) => name !== member));
      assert.equal(parse(JSON.stringify(others)), null, member);
    }
  });

  test("bytes that are no UTF-8", () => {
    const bytes = writeEntry(WHOLE);
    bytes[bytes.indexOf("ø")] = 0xff;
    assert.equal(parseEntry(bytes), null);
  });

  test("more of anything than an entry lists, or than an entry is long", () => {
    const { records, people } = ENTRY_LIMITS;
    const record = { tag: tag(), version: 1 };
    const person = { key: "vault", sealed: randomBytes(60).toString("base64url") };
    const many = (count: number): EntryText => ({ ...SMALL, records: Array.from({ length: count }, () => record) });
    assert.notEqual(parseEntry(writeEntry(many(records))), null);
    assert.equal(parseEntry(writeEntry(many(records + 1))), null);
    const crowd = { ...SMALL, people: Array.from({ length: people + 1 }, () => person) };
    assert.equal(parseEntry(writeEntry(crowd)), null);
    const long = {
      ...SMALL,
      details: Object.fromEntries(Array.from("abcdefghijklmnopq").map((n) => [n, "x".repeat(65_536)])),
    };
    assert.equal(parseEntry(writeEntry(long)), null);
  });
});

test("every byte of an entry that is another one gives another entry, or none", () => {
  const bytes = writeEntry(SMALL);
  for (let index = 0; index < bytes.length; index++)
    for (const bit of [1, 2, 32, 128]) {
      const other = Buffer.from(bytes);
      other[index]! ^= bit;
      const entry = parseEntry(other);
      if (entry !== null) assert.deepEqual(writeEntry(entry), other);
    }
});
