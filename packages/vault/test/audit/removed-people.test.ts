/**
 * A record whose versions were about more people than one entry names is removed as every other, and all are told.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { auditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";

/** Of the greatest length, in characters that take three bytes each. */
const CROWD = { collection: "crowds", id: "\u20ac".repeat(85) };
const VERSIONS = 52;
const EACH = 31;

test("a record about more people than one entry names is removed, and each of them is told", async (t) => {
  const { vault, entries } = await auditedVault(t);
  for (let version = 0; version < VERSIONS; version++)
    await vault.put(
      CROWD,
      { version },
      {
        subject: "host@example.com",
        about: Array.from({ length: EACH }, (_, n) => `guest${version * EACH + n}@example.com`),
      },
    );
  await rejectsWith("version-conflict", () => vault.remove(CROWD, { expect: { kind: "version", version: 1 } }));
  assert.equal((await vault.remove(CROWD)).lastVersion, VERSIONS);
  const told = await entries("remove");
  const named = (results: string): ReadonlySet<string> =>
    new Set(
      told.filter(({ result }) => results.includes(result)).flatMap(({ people = [] }) => people.map(({ key }) => key)),
    );
  assert.equal(named("begun done").size, VERSIONS * EACH + 1);
  assert.equal(named("version-conflict").size, 501);
  const { events } = await vault.audit!.whoRead(`guest${VERSIONS * EACH - 1}@example.com`);
  assert.ok(events.some(({ action, records }) => action === "remove" && records[0]?.id === CROWD.id));
  await vault.audit!.sequence();
  assert.deepEqual((await vault.audit!.verify()).problems, []);
});
