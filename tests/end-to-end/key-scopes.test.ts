// What each scope of keys costs in calls of a KMS, in its small form: tests/long/key-scopes.test.ts has 20,000 people.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { scopeVault } from "./key-scopes.ts";

const PEOPLE = 60;

/** The vault's own two keys, that find and name people: a wrap in each region, once. */
const OWN = 2 * 3;

describe("calls of a KMS for people who are imported and read", () => {
  test("record: one a region for each write, and one for each read", async (t) => {
    const own = await scopeVault(t, { scope: "record" });
    own.calls();
    await own.importPeople(PEOPLE);
    assert.equal(own.calls().wraps, 3 * PEOPLE + OWN);
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
    assert.equal(written.wraps, 3 * PEOPLE + OWN);
    assert.ok(written.opens <= 2, "no more than the vault's own two keys");
    await own.read(PEOPLE * 30, PEOPLE);
    const { wraps, opens } = own.calls();
    assert.equal(wraps, 0);
    assert.ok(opens <= PEOPLE * 3 && opens >= PEOPLE * 2, `${opens} for ${PEOPLE * 30} reads`);
    assert.ok(Math.abs(own.cost().present.subject - 3 * PEOPLE - opens) <= PEOPLE, "and so does the meter say");
  });

  test("tenant: for all of them together no more than a few", async (t) => {
    const own = await scopeVault(t, { scope: "tenant" });
    own.calls();
    await own.importPeople(PEOPLE);
    await own.read(100, PEOPLE);
    const { wraps, opens } = own.calls();
    assert.ok(wraps + opens < 50, `${wraps} and ${opens}`);
  });
});
