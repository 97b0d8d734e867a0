/**
 * What a hand in the databases of a vault with an audit does, and what tells of it: the same on every kind of store.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { AuditLog, Vault } from "@strongroom/vault";

/** A vault, and what somebody does to its rows. */
export interface HandledVault {
  readonly vault: Vault;
  readonly log: AuditLog;
  /** The text of an entry goes, as if it had been forgotten. */
  readonly takeText: (position: number) => Promise<void>;
  /** The audit keys of people go. */
  readonly takeAuditKeys: () => Promise<void>;
  /** What says of removed records that they were removed goes. */
  readonly takeTombstones: () => Promise<void>;
}

const ADA = { collection: "people", id: "ada" };
const BOB = { collection: "people", id: "bob" };

/** @param open a vault over new stores; it is closed behind the test */
export function auditHands(name: string, open: (t: TestContext) => Promise<HandledVault>): void {
  const filled = async (t: TestContext): Promise<HandledVault> => {
    const handled = await open(t);
    const { vault } = handled;
    for (let count = 0; count < 4; count++) await vault.put(ADA, { count }, { subject: "ada" });
    await vault.put(BOB, { count: 1 }, { subject: "bob" });
    await vault.get(ADA);
    await vault.audit!.sequence();
    return handled;
  };
  const later = (): string => new Date(Date.now() + 60_000).toISOString();

  test(`${name}: a text that somebody has taken away is found, and those that were forgotten are no problem`, async (t) => {
    const { vault, log, takeText } = await filled(t);
    assert.deepEqual((await vault.audit!.verify()).problems, []);
    const { size } = await log.state();
    const kept = (await log.find({ action: "adopted" }, { order: "oldest", after: null, limit: 9 })).length;
    assert.equal(await vault.audit!.forget({ before: later() }), size - kept);
    await vault.put(ADA, { count: 5 }, { subject: "ada" });
    await vault.audit!.sequence();
    const report = await vault.audit!.verify();
    assert.deepEqual([report.problems, report.forgotten], [[], size - kept]);
    assert.deepEqual((await vault.get(ADA)).document, { count: 5 });
    assert.deepEqual((await vault.get(BOB)).document, { count: 1 });
    // The newest write, after which the record could be set back.
    const [newest] = await log.find({ action: "write" }, { order: "newest", after: null, limit: 1 });
    await takeText(newest!.position);
    const { problems } = await vault.audit!.verify();
    assert.deepEqual(
      problems.filter(({ code }) => code === "text").map(({ position }) => position),
      [newest!.position],
    );
  });

  test(`${name}: a key of the audit that entries name and that is gone is found`, async (t) => {
    const { vault, takeAuditKeys } = await filled(t);
    assert.equal((await vault.verify()).verdict, "whole");
    await takeAuditKeys();
    const { verdict, problems, findings } = await vault.verify();
    assert.deepEqual([verdict, problems], ["problems", { "key-missing": 2 }]);
    const [{ place } = assert.fail()] = findings;
    assert.ok(place.kind === "key" && place.key === "audit" && place.owner === null && place.version !== null);
    // Once nothing names them any more, nothing is missing.
    await vault.audit!.forget({ before: later() });
    assert.deepEqual((await vault.verify()).problems, {});
  });

  test(`${name}: no number is used again of a record whose tombstone is gone`, async (t) => {
    const { vault, takeTombstones } = await filled(t);
    const { lastVersion } = await vault.remove(ADA);
    await vault.audit!.sequence();
    await takeTombstones();
    for (const call of [
      () => vault.put(ADA, { count: 9 }, { subject: "ada" }),
      () => vault.get(ADA),
      () => vault.put(ADA, { count: 9 }, { subject: "ada", expect: { kind: "absent" } }),
    ])
      await assert.rejects(call(), { code: "record-rolled-back", currentVersion: lastVersion });
    // Whoever removes it once more makes another tombstone, and the numbers go on.
    assert.equal((await vault.remove(ADA)).lastVersion, lastVersion);
    await vault.audit!.sequence();
    await assert.rejects(vault.get(ADA), { code: "record-absent" });
    const { version, outcome } = await vault.put(ADA, { count: 9 }, { subject: "ada" });
    assert.deepEqual([version, outcome], [lastVersion + 1, "created"]);
    assert.deepEqual((await vault.get(ADA)).document, { count: 9 });
    await vault.audit!.sequence();
    assert.deepEqual((await vault.get(ADA)).document, { count: 9 });
    assert.deepEqual((await vault.audit!.verify()).problems, []);
  });
}
