import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Approvals, Store, Vault } from "@strongroom/vault";
import { auditedVault } from "./support/audited-vault.ts";

const ACT = { action: "retire-key", target: "arn:aws:kms:eu-west-1:111122223333:key/a" };
const DAY = 24 * 3600 * 1000;

interface Parties {
  readonly ada: Approvals;
  readonly bob: Approvals;
  readonly vault: Vault;
  readonly store: Store;
  readonly later: (ms: number) => void;
}

async function parties(t: TestContext): Promise<Parties> {
  let now = Date.now();
  const { vault, store } = await auditedVault(t, { clock: () => new Date(now) });
  const as = (principal: string): Approvals => vault.as({ principal }).approvals ?? assert.fail();
  return { ada: as("token/ada"), bob: as("token/bob"), vault, store, later: (ms) => (now += ms) };
}

const refused = (code: string): { readonly code: string } => ({ code });

describe("an approval", () => {
  it("takes two principals", async (t) => {
    const { ada, bob } = await parties(t);
    await assert.rejects(ada.require(ACT), refused("approval-missing"));
    await assert.rejects(bob.approve(ACT), refused("approval-absent"));
    const asked = await ada.request(ACT);
    assert.deepEqual(await bob.request(ACT), asked, "what was asked for stays");
    await assert.rejects(ada.approve(ACT), refused("approval-own"));
    await assert.rejects(ada.require(ACT), refused("approval-missing"));
    const approved = await bob.approve(ACT);
    assert.deepEqual([approved.requestedBy, approved.approvedBy], ["token/ada", "token/bob"]);
    assert.deepEqual(await ada.require(ACT), approved);
    assert.deepEqual(await ada.list(), [approved]);
    for (const other of [
      { ...ACT, action: "shred" },
      { ...ACT, target: `${ACT.target}b` },
    ])
      await assert.rejects(ada.require(other), refused("approval-missing"));
    await ada.withdraw(ACT);
    await ada.withdraw(ACT);
    await assert.rejects(ada.require(ACT), refused("approval-missing"));
  });

  it("counts for seven days", async (t) => {
    const { ada, bob, later } = await parties(t);
    await ada.request(ACT);
    later(8 * DAY);
    await assert.rejects(bob.approve(ACT), refused("approval-absent"));
    await ada.request(ACT);
    await bob.approve(ACT);
    later(6 * DAY);
    await ada.require(ACT);
    later(2 * DAY);
    await assert.rejects(ada.require(ACT), refused("approval-missing"));
    assert.deepEqual(await ada.list(), []);
  });

  it("cannot be made by a hand in the database, nor moved to another act", async (t) => {
    const { ada, bob, store } = await parties(t);
    await ada.request(ACT);
    const [note = assert.fail()] = await store.notes.list("approval/");
    const own = JSON.stringify({ ...ACT, requestedBy: "a", approvedBy: "b", until: "9999" });
    for (const text of [
      own,
      note.text.replace("null", '"token/bob"'),
      note.text.replaceAll("token/ada", "token/eve"),
      "",
    ]) {
      const [present = assert.fail()] = await store.notes.list("approval/");
      await store.notes.replace(note.name, text === "" ? "x" : text, present.text);
      await assert.rejects(ada.require(ACT), refused("approval-missing"));
      await assert.rejects(bob.approve(ACT), refused("approval-absent"));
    }
    await ada.request(ACT);
    const other = { ...ACT, target: "another key" };
    await ada.request(other);
    await bob.approve(other);
    const notes = await store.notes.list("approval/");
    const [here, there] = [notes.find(({ name }) => name === note.name), notes.find(({ name }) => name !== note.name)];
    await store.notes.replace(note.name, there?.text ?? "", here?.text ?? null);
    await assert.rejects(ada.require(ACT), refused("approval-missing"));
    assert.equal((await ada.list()).length, 1);
  });

  it("of two who approve at once is one of theirs, and each step is in the audit", async (t) => {
    const { ada, bob, vault } = await parties(t);
    await ada.request(ACT);
    const eve = vault.as({ principal: "token/eve" }).approvals ?? assert.fail();
    const [one, two] = await Promise.all([bob.approve(ACT), eve.approve(ACT)]);
    assert.equal(one.approvedBy, two.approvedBy);
    assert.equal((await ada.require(ACT)).approvedBy, one.approvedBy);
    const events = (await vault.audit?.events({ action: "statement" }))?.events ?? [];
    assert.ok(events.length >= 2);
  });
});
