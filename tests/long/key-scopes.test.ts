// What each scope of keys costs in calls of a KMS: 20,000 people imported, 10,000 reads, counted by the KMS itself. The
// small form of it, which says the same of fewer, is tests/end-to-end/key-scopes.test.ts. Figures are printed;
// SCOPE_PEOPLE makes it shorter.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { KeyCost } from "@strongroom/vault";
import { scopeVault } from "../end-to-end/key-scopes.ts";
import type { Calls } from "../end-to-end/key-scopes.ts";

const PEOPLE = Number(process.env["SCOPE_PEOPLE"] ?? 20_000);
const READS = PEOPLE / 2;
/** Of whom as many records are read, several times each. */
const READ_PEOPLE = PEOPLE / 40;
const HOUR_MS = 3_600_000;

/** The vault's own two keys, that find and name people. Each is opened once before it is used, as a proof that it can be. */
const OWN = 2;

const rows: string[] = [];

/** Prints what was counted, and holds it against the vault's own account. */
function account(
  t: TestContext,
  what: string,
  calls: Calls,
  meter: { readonly scope: number; readonly cost: KeyCost },
): void {
  const { wraps, wrapped, opens, own, proofs } = calls;
  const { scope, cost } = meter;
  const row = [what, wraps, wrapped, opens, own, proofs, scope, cost.counted?.calls].join(" | ");
  rows.push(row);
  t.diagnostic(row);
  assert.equal(cost.counted?.calls, wraps + opens + proofs, "the keyring has counted what the KMS has");
}

/** That the estimate of the meter, which leaves out the vault's own keys, is right within 2 %. */
function isNear(estimated: number, counted: number): void {
  assert.ok(Math.abs(estimated - counted) <= counted * 0.02, `${estimated} estimated, ${counted} counted`);
}

after(() => {
  process.stdout.write(
    [
      "what | wraps | of keys or messages | opens | of the vault's own keys | proofs | meter | counted by the keyring",
      ...rows,
      "",
    ].join("\n"),
  );
});

test("record: three a write and one a read", async (t) => {
  const own = await scopeVault(t, { scope: "record", cache: { maxAgeMs: HOUR_MS } });
  own.calls();
  await own.importPeople(PEOPLE);
  const written = own.calls();
  account(t, "record, import", written, { scope: own.cost().present.record, cost: own.cost() });
  assert.deepEqual([written.wraps, written.wrapped, written.opens], [3 * (PEOPLE + OWN), PEOPLE + OWN, OWN]);
  isNear(own.cost().present.record, written.wraps);
  await own.reopen({ scope: "record", cache: { maxAgeMs: HOUR_MS } });
  await own.read(READS, PEOPLE);
  const read = own.calls();
  account(t, "record, reads", read, { scope: own.cost().present.record, cost: own.cost() });
  assert.deepEqual([read.wraps, read.opens - read.own], [0, READS]);
  assert.ok(read.own <= OWN);
  isNear(own.cost().present.record, read.opens - read.own);
});

test("subject: three a person, then one a person and cache age", async (t) => {
  const own = await scopeVault(t, { scope: "subject", cache: { capacity: PEOPLE, maxAgeMs: HOUR_MS } });
  own.calls();
  await own.importPeople(PEOPLE);
  const written = own.calls();
  account(t, "subject, import", written, { scope: own.cost().present.subject, cost: own.cost() });
  assert.deepEqual([written.wraps, written.wrapped, written.opens], [3 * (PEOPLE + OWN), PEOPLE + OWN, 1]);
  isNear(own.cost().present.subject, written.wraps);
  await own.read(READS, PEOPLE);
  const { wraps, opens } = own.calls();
  assert.deepEqual([wraps, opens], [0, 0], "whoever was written lately is held");
  // Long enough for all reads of one age, also where the machine is busy.
  const maxAgeMs = Math.max(2_000, READS * 12);
  await own.reopen({ scope: "subject", cache: { capacity: PEOPLE, maxAgeMs } });
  let ages = 0;
  for (; ages < 2; ages++) {
    if (ages > 0) await delay(maxAgeMs);
    const began = performance.now();
    await own.read(READS / 2, READ_PEOPLE);
    assert.ok(performance.now() - began < maxAgeMs, "all within one age, or nothing here could be counted");
  }
  const read = own.calls();
  account(t, "subject, reads in two ages", read, { scope: own.cost().present.subject, cost: own.cost() });
  assert.deepEqual([read.wraps, read.opens - read.own], [0, ages * READ_PEOPLE]);
  assert.ok(read.own <= ages * OWN);
  isNear(own.cost().present.subject, read.opens - read.own);
});

test("subject with a bound of 10 uses: one in ten reads", async (t) => {
  const own = await scopeVault(t, { scope: "subject" });
  await own.importPeople(READ_PEOPLE);
  await own.reopen({ scope: "subject", cache: { maxUses: 10, maxAgeMs: HOUR_MS } });
  own.calls();
  await own.read(READS, READ_PEOPLE);
  const read = own.calls();
  account(t, "subject, reads, 10 uses", read, { scope: own.cost().present.subject, cost: own.cost() });
  assert.deepEqual([read.wraps, read.opens - read.own], [0, READS / 10]);
  assert.ok(read.own <= OWN);
  isNear(own.cost().present.subject, read.opens - read.own);
});

test("tenant: fewer than fifty in all", async (t) => {
  const own = await scopeVault(t, { scope: "tenant" });
  own.calls();
  await own.importPeople(PEOPLE);
  await own.read(READS, PEOPLE);
  const all = own.calls();
  account(t, "tenant, import and reads", all, { scope: own.cost().present.tenant, cost: own.cost() });
  assert.equal(all.wraps, 3 * (OWN + 1));
  assert.ok(all.wraps + all.opens < 50, `${all.wraps} and ${all.opens}`);
  assert.ok(own.cost().present.tenant <= all.wraps + all.opens);
});
