// What each scope of keys costs in calls of a KMS: 20,000 people imported, 10,000 reads. The small form of it, which
// says the same of fewer, is tests/end-to-end/key-scopes.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { scopeVault } from "../end-to-end/key-scopes.ts";
import type { Calls } from "../end-to-end/key-scopes.ts";

const PEOPLE = 20_000;
const READS = 10_000;

/** The vault's own two keys, that find and name people: a wrap in each region, once. */
const OWN = 2 * 3;

const told = (scope: string, written: Calls, read: Calls): string =>
  `${scope}: import ${JSON.stringify(written)}, reads ${JSON.stringify(read)}`;

test("record: three a write and one a read", async (t) => {
  const own = await scopeVault(t, { scope: "record" });
  own.calls();
  await own.importPeople(PEOPLE);
  const written = own.calls();
  await own.read(READS, PEOPLE);
  const read = own.calls();
  t.diagnostic(told("record", written, read));
  assert.deepEqual([written.wraps, read.wraps, read.opens], [3 * PEOPLE + OWN, 0, READS]);
});

test("subject: three a person, then one a person and cache age", async (t) => {
  const own = await scopeVault(t, { scope: "subject", cache: { capacity: PEOPLE, maxAgeMs: 3_600_000 } });
  own.calls();
  await own.importPeople(PEOPLE);
  const written = own.calls();
  await own.read(READS, 500);
  const read = own.calls();
  t.diagnostic(told("subject", written, read));
  assert.equal(written.wraps, 3 * PEOPLE + OWN);
  assert.ok(written.opens <= 2, "no more than the vault's own two keys");
  assert.ok(read.opens <= 500, "one for each person in an age, at most");
});

test("subject with a bound of 10 uses: one in ten reads", async (t) => {
  const own = await scopeVault(t, { scope: "subject", cache: { maxUses: 10 } });
  await own.importPeople(500);
  await own.read(500 * 10, 500);
  own.calls();
  await own.read(READS, 500);
  const read = own.calls();
  t.diagnostic(told("subject, 10 uses", { wraps: 0, opens: 0, proofs: 0 }, read));
  assert.equal(read.opens, READS / 10);
});

test("tenant: fewer than fifty in all", async (t) => {
  const own = await scopeVault(t, { scope: "tenant" });
  own.calls();
  await own.importPeople(PEOPLE);
  const written = own.calls();
  await own.read(READS, PEOPLE);
  const read = own.calls();
  t.diagnostic(told("tenant", written, read));
  assert.ok(written.wraps + written.opens + read.wraps + read.opens < 50);
});
