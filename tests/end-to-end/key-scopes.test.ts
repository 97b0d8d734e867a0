// What each scope of keys costs in calls of a KMS, in its small form: tests/long/key-scopes.test.ts has 20,000 people.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { scopeVault } from "./key-scopes.ts";

const PEOPLE = 60;

/** The vault's own two keys, that find and name people. Each is opened once before it is used, as a proof that it can be. */
const OWN = 2;

describe("calls of a KMS for people who are imported and read", () => {
  test("record: one a region for each write, and one for each read", async (t) => {
    const own = await scopeVault(t, { scope: "record" });
    own.calls();
    await own.importPeople(PEOPLE);
    const written = own.calls();
    assert.deepEqual([written.wraps, written.wrapped, written.opens], [3 * (PEOPLE + OWN), PEOPLE + OWN, OWN]);
    await own.read(100, PEOPLE);
    const { wraps, opens } = own.calls();
    assert.deepEqual([wraps, opens], [0, 100]);
    assert.equal(own.cost().present.record, 3 * PEOPLE + 100);
  });

  test("subject: one a region for each person, and with a bound of 10 uses one in 10 reads", async (t) => {
    const own = await scopeVault(t, { scope: "subject", cache: { maxUses: 10 } });
    own.calls();
    await own.importPeople(PEOPLE);
    const written = own.calls();
    assert.deepEqual([written.wraps, written.wrapped, written.opens], [3 * (PEOPLE + OWN), PEOPLE + OWN, 1]);
    await own.read(PEOPLE * 30, PEOPLE);
    const { wraps, opens } = own.calls();
    assert.deepEqual([wraps, opens], [0, PEOPLE * 3]);
    assert.equal(own.cost().present.subject, 3 * PEOPLE + opens, "and so does the meter say");
  });

  test("tenant: for all of them together no more than a few", async (t) => {
    const own = await scopeVault(t, { scope: "tenant" });
    own.calls();
    await own.importPeople(PEOPLE);
    await own.read(100, PEOPLE);
    const { wraps, wrapped, opens } = own.calls();
    assert.deepEqual([wraps, wrapped, opens], [3 * (OWN + 1), OWN + 1, 1], "the tenant's key, and the vault's own");
  });
});
