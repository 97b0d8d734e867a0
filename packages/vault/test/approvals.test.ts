import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { openVault } from "@strongroom/vault";
import type { ActingVault, Approvals, Roles, Store, Vault } from "@strongroom/vault";
import { memoryStore } from "@strongroom/vault/memory";
import { email } from "@strongroom/vault/normalisers";
import { auditedVault } from "./support/audited-vault.ts";
import type { AuditedVault } from "./support/audited-vault.ts";
import { aesKeyring } from "./support/vault.ts";

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

const EXPORT = "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e";
const CUSTOMERS = { action: "export", target: "customers" };
const AT = { collection: "customers", id: "1" };
const BY_EMAIL = { email: "ada@example.com" };

/** What an export reads a collection by. */
const READS: Readonly<Record<string, (vault: ActingVault) => Promise<unknown>>> = {
  get: (vault) => vault.get(AT),
  version: (vault) => vault.get(AT, { version: 1 }),
  history: (vault) => vault.history(AT),
  list: (vault) => vault.list("customers"),
  find: (vault) => vault.find("customers", BY_EMAIL),
  count: (vault) => vault.countFound("customers", BY_EMAIL),
};

async function withCustomers(t: TestContext, fourEyes = true): Promise<AuditedVault> {
  const collections = { customers: { fields: { email: { find: email() } } } };
  const opened = await auditedVault(t, { erasure: { fourEyes }, collections });
  await opened.vault.put(AT, BY_EMAIL, { subject: "ada" });
  await opened.vault.put({ ...AT, collection: "orders" }, {});
  return opened;
}

describe("an export with four eyes", () => {
  it("is read only once another principal has approved it, of its collection alone", async (t) => {
    const { vault, entries } = await withCustomers(t);
    const as = (principal: string): Approvals => vault.as({ principal }).approvals ?? assert.fail();
    const exporting = (roles?: Roles): ActingVault => vault.as({ principal: "eve", export: EXPORT }, roles);
    const allRefused = async (): Promise<void> => {
      for (const [name, read] of Object.entries(READS))
        await assert.rejects(read(exporting()), refused("approval-missing"), name);
    };
    await allRefused();
    const told = await entries("read", "history", "list", "find");
    assert.deepEqual(
      told.map(({ action, result, principal }) => [action, result, principal]).sort(),
      ["find", "find", "history", "list", "read", "read"].map((action) => [action, "approval-missing", "eve"]),
    );
    for (const { collection, export: named } of told) assert.deepEqual([collection, named], ["customers", EXPORT]);

    await as("ada").request(CUSTOMERS);
    await as("ada").request({ ...CUSTOMERS, target: "orders" });
    await allRefused();
    await as("bob").approve({ ...CUSTOMERS, target: "orders" });
    await allRefused();
    await as("bob").approve(CUSTOMERS);
    for (const read of Object.values(READS)) await read(exporting());
    await exporting({ roles: ["read"] }).get(AT);
    const query = { ...BY_EMAIL };
    const found = exporting().find("customers", query);
    query.email = "bob@example.com";
    assert.equal((await found).items.length, 1, "what is looked for is taken at the call");
    await as("bob").withdraw(CUSTOMERS);
    await allRefused();
  });

  it("leaves alone who names no export, who writes, and who exports one person", async (t) => {
    const { vault } = await withCustomers(t);
    for (const read of Object.values(READS)) await read(vault.as({ principal: "eve" }));
    const exporting = vault.as({ principal: "eve", export: EXPORT });
    await exporting.put(AT, BY_EMAIL, { subject: "ada" });
    const kinds: string[] = [];
    for await (const { kind } of exporting.rights!.export("ada", { recipient: "Ada herself" })) kinds.push(kind);
    assert.deepEqual(kinds, ["record", "end"]);
  });

  it("needs nobody where four eyes are not configured, and an audit where they are", async (t) => {
    const { vault } = await withCustomers(t, false);
    for (const read of Object.values(READS)) await read(vault.as({ principal: "eve", export: EXPORT }));
    const options = { store: memoryStore(), keyring: aesKeyring(), erasure: { fourEyes: true } };
    await assert.rejects(openVault(options), refused("vault-option-invalid"));
  });
});
