/**
 * Whoever has roles, and what is about people, keys or the whole vault: a role that sees masks learns nothing by any of
 * these calls, and each role may what it is for.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { isVaultError } from "@strongroom/vault";
import type { ActingVault, RolesOptions } from "@strongroom/vault";
import { email } from "@strongroom/vault/normalisers";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";

const ADA = "ada@example.com";
const WHERE = { collection: "people", id: "1" };
const collections = {
  people: { fields: { email: { find: email(), unique: true, mask: "email" }, name: { mask: "name" } } },
  news: { purposes: ["support", { code: "marketing", consent: true }] },
  visits: { retention: { after: 30 } },
} as const;
const roles: RolesOptions = {
  masked: { grants: [{ collection: "*", fields: ["*"], actions: ["read:masked"] }] },
  editor: { grants: [{ collection: "people", fields: ["*"], actions: ["read:masked", "write"] }] },
  reader: { grants: [{ collection: "people", fields: ["*"], actions: ["read"] }] },
  writer: { grants: [{ collection: "people", fields: ["*"], actions: ["read", "write"] }] },
  consenter: { grants: [{ collection: "strongroom-consents", fields: ["*"], actions: ["read", "write"] }] },
  eraser: { grants: [{ collection: "*", actions: ["erase"] }] },
  auditor: { grants: [{ collection: "*", actions: ["audit"] }] },
  keeper: { grants: [{ collection: "*", actions: ["keys"] }] },
};

interface Opened extends AuditedVault {
  readonly as: (...names: readonly string[]) => ActingVault;
  readonly hold: string;
}

async function opened(t: TestContext): Promise<Opened> {
  const made = await auditedVault(t, { collections, roles });
  const { vault } = made;
  await vault.put(WHERE, { email: ADA, name: "Ada Lovelace" }, { subject: ADA });
  await vault.put({ collection: "people", id: "2" }, { email: "bob@example.com", name: "Bob" }, { subject: "bob" });
  await vault.rights!.consent(ADA, "marketing");
  const { id: hold } = await vault.erasure!.hold("bob", { reason: "litigation" });
  return { ...made, hold, as: (...names) => vault.as({ principal: "token:1" }, { roles: names }) };
}

const all = async (items: AsyncIterable<unknown>): Promise<unknown> => {
  const found: unknown[] = [];
  for await (const one of items) found.push(one);
  return found;
};

const correct = (who: ActingVault) => who.rights!.rectify(ADA, WHERE, { name: "Ada King" }, { reason: "asked" });
const act = { action: "lift-hold", target: "x" };

type Calls = Readonly<Record<string, (who: ActingVault, hold: string) => Promise<unknown>>>;

const RIGHTS: Calls = {
  show: (who) => who.rights!.show(ADA),
  export: (who) => all(who.rights!.export(ADA, { recipient: "me" })),
  "export by pages": (who) => who.rights!.exportPage(ADA, { recipient: "me" }),
  rectify: correct,
  consent: (who) => who.rights!.consent(ADA, "marketing"),
  withdraw: (who) => who.rights!.withdraw(ADA, "marketing"),
  consents: (who) => who.rights!.consents(ADA),
  "rights.restrict": (who) => who.rights!.restrict(ADA),
  "rights.release": (who) => who.rights!.release(ADA),
  recipients: (who) => who.rights!.recipients(ADA),
  exposure: (who) => who.rights!.exposure("local", { since: "2020-01-01T00:00:00Z" }),
  processing: (who) => Promise.resolve().then(() => who.rights!.processing()),
};
const ERASURE: Calls = {
  erase: (who) => who.erasure!.erase(ADA, { reason: "art-17" }),
  resume: (who) => who.erasure!.resume(),
  hold: (who) => who.erasure!.hold(ADA, { reason: "litigation" }),
  liftHold: (who, hold) => who.erasure!.liftHold(hold, { reason: "settled" }),
  underWay: (who) => who.erasure!.underWay(),
  certificate: (who) => who.erasure!.certificate("00000000-0000-4000-8000-000000000000" as never),
  certificateKey: (who) => who.erasure!.certificateKey(),
  holds: (who) => who.erasure!.holds(),
  heldPeople: (who) => who.erasure!.heldPeople(),
  ledger: (who) => all(who.erasure!.ledger()),
};
const OTHERS: Calls = {
  "retention.plan": (who) => who.retention.plan(),
  "retention.run": (who) => who.retention.run(),
  "subjects.state": (who) => who.subjects.state(ADA),
  "subjects.records": (who) => who.subjects.records(ADA),
  "subjects.restrict": (who) => who.subjects.restrict(ADA),
  "subjects.release": (who) => who.subjects.release(ADA),
  "subjects.renewKey": (who) => who.subjects.renewKey(ADA),
  "indexes.plan": (who) => who.indexes.plan({ documents: true }),
  "indexes.apply": (who) => who.indexes.apply(),
  "indexes.rotateKey": (who) => who.indexes.rotateKey(),
  "indexes.drop": (who) => who.indexes.drop("people", "email"),
  "indexes.leakage": (who) => who.indexes.leakage("people"),
  "convergence.plan": (who) => who.convergence.plan(),
  "convergence.inventory": (who) => who.convergence.inventory(),
  "convergence.status": (who) => who.convergence.status(),
  "convergence.failures": (who) => who.convergence.failures(),
  "convergence.probe": (who) => who.convergence.probe("x"),
  "convergence.apply": (who) => who.convergence.apply(),
  "convergence.pause": (who) => who.convergence.pause("x"),
  "convergence.resume": (who) => who.convergence.resume(),
  "convergence.cancel": (who) => who.convergence.cancel("x"),
  "convergence.undo": (who) => who.convergence.undo("x"),
  "approvals.list": (who) => who.approvals!.list(),
  "approvals.require": (who) => who.approvals!.require(act),
  "approvals.request": (who) => who.approvals!.request(act),
  "approvals.approve": (who) => who.approvals!.approve(act),
  "approvals.withdraw": (who) => who.approvals!.withdraw(act),
  "audit.status": (who) => who.audit!.status(),
  "audit.checkpoint": (who) => who.audit!.checkpoint(),
  "audit.events": (who) => who.audit!.events(),
  "audit.whoRead": (who) => who.audit!.whoRead(ADA),
  "audit.accessLog": (who) => who.audit!.accessLog(ADA),
  "audit.verify": (who) => who.audit!.verify(),
  "audit.statementKey": (who) => who.audit!.statementKey(),
  "audit.sequence": (who) => who.audit!.sequence(),
  "audit.tell": (who) => who.audit!.tell("erase", "done", { label: "erased x" }),
  "audit.sign": (who) => who.audit!.sign({ kind: "approval", facts: {} }),
  "audit.forget": (who) => who.audit!.forget({ before: "2020-01-01T00:00:00.000Z" }),
};
const EVERY: Calls = { ...RIGHTS, ...ERASURE, ...OTHERS };

/** What whoever may is refused with all the same: there is nothing to do it on, or it is not approved. */
const NOTHING_THERE: ReadonlySet<string> = new Set([
  ...["certificate-absent", "run-absent", "approval-missing", "approval-absent", "audit-unavailable"],
  ...["run-refused", "run-not-undoable", "find-invalid", "vault-option-invalid", "convergence-missing"],
]);

async function isAllowed(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (!isVaultError(error)) throw error;
    if (error.code === "not-permitted" || error.code === "field-forbidden") return false;
    assert.ok(NOTHING_THERE.has(error.code), error.code);
    return true;
  }
}

describe("calls about people, keys and the whole vault", () => {
  test("a role that sees masks, or writes over them, makes none of them, and changes nothing", async (t) => {
    const { as, vault, hold, entries } = await opened(t);
    const before = (await entries("erase", "hold", "lift-hold", "consent", "rectify", "restrict", "remove")).filter(
      ({ result }) => result === "done",
    ).length;
    for (const who of [as("masked"), as("editor"), as("masked", "editor"), as("unknown"), as()])
      for (const [name, call] of Object.entries(EVERY)) {
        const error: unknown = await call(who, hold).then(
          () => null,
          (reason: unknown) => reason,
        );
        assert.ok(isVaultError(error) && error.code === "not-permitted", `${name}: ${String(error)}`);
        assert.ok(!error.message.includes("ada@"), name);
      }
    const after = (await entries("erase", "hold", "lift-hold", "consent", "rectify", "restrict", "remove")).filter(
      ({ result }) => result === "done",
    ).length;
    assert.equal(after, before);
    assert.equal((await vault.get(WHERE)).version, 1);
    assert.equal((await vault.erasure!.holds()).length, 1);
    const refused = (await entries()).filter(({ result }) => result === "not-permitted");
    assert.ok(refused.length >= Object.keys(EVERY).length, "each refusal is in the audit");
  });

  test("the same whether there is such a person or not", async (t) => {
    const { as } = await opened(t);
    const said = async (name: string, who: ActingVault) =>
      Promise.all(
        [
          () => who.rights!.show(name),
          () => all(who.rights!.export(name, { recipient: "me" })),
          () => who.rights!.rectify(name, WHERE, { name: "x" }, { reason: "asked" }),
          () => who.rights!.consents(name),
          () => who.subjects.state(name),
          () => who.erasure!.erase(name, { reason: "art-17" }),
        ].map((call) => call().catch((error: unknown) => String(error))),
      );
    for (const who of [as("masked"), as("editor")])
      assert.deepEqual(await said(ADA, who), await said("nobody@example.com", who));
  });

  test("each role may what it is for, and nothing else", async (t) => {
    const may = async (role: string): Promise<readonly string[]> => {
      const { as, hold } = await opened(t);
      const found: string[] = [];
      for (const [name, call] of Object.entries(EVERY))
        if (await isAllowed(() => call(as(role), hold))) found.push(name);
      return found;
    };
    const of = (calls: Calls, ...but: readonly string[]) => Object.keys(calls).filter((name) => !but.includes(name));
    const audit = of(OTHERS).filter((name) => name.startsWith("audit."));
    const notTold = new Set(["audit.tell", "audit.sign", "audit.forget"]);
    assert.deepEqual(await may("reader"), []);
    assert.deepEqual(await may("writer"), ["rectify"]);
    assert.deepEqual(await may("consenter"), ["consent", "withdraw", "consents"]);
    assert.deepEqual(await may("eraser"), of(ERASURE));
    assert.deepEqual(await may("auditor"), [
      ...["recipients", "exposure", "processing"],
      ...audit.filter((name) => !notTold.has(name)),
    ]);
    assert.deepEqual(await may("keeper"), [
      "subjects.renewKey",
      ...of(OTHERS).filter((name) => /^(?:indexes|convergence)\./.test(name)),
    ]);
    assert.deepEqual(await may("write"), [
      ...["rectify", "consent", "withdraw", "rights.restrict", "rights.release"],
      ...["subjects.restrict", "subjects.release"],
    ]);
  });

  test("names in an exposure are for whoever reads everything too; consents are corrected by nobody", async (t) => {
    const { as, vault } = await opened(t);
    const since = "2020-01-01T00:00:00Z";
    await rejectsWith("not-permitted", () => as("auditor").rights!.exposure("local", { since, names: true }));
    await as("auditor", "read").rights!.exposure("local", { since, names: true });
    await vault.rights!.withdraw(ADA, "marketing");
    const [item] = (await vault.list("strongroom-consents")).items;
    const place = { collection: "strongroom-consents", id: item!.id };
    for (const who of [vault, as("admin"), as("consenter")])
      await rejectsWith("collection-reserved", () =>
        who.rights!.rectify(ADA, place, { state: "given" }, { reason: "asked" }),
      );
    assert.equal((await vault.rights!.consents(ADA))[0]?.state, "withdrawn");
  });

  test("a role writes a part of what it may, and never to the vault's own collections", async (t) => {
    const { as, vault } = await opened(t);
    const [item] = (await vault.list("strongroom-consents")).items;
    const place = { collection: "strongroom-consents", id: item!.id };
    for (const who of [vault, as("admin"), as("consenter"), as("write")]) {
      await rejectsWith("collection-reserved", () => who.put(place, { state: "given" }));
      await rejectsWith("collection-reserved", () => who.remove(place));
      await rejectsWith("collection-reserved", () => who.prepare(place, { state: "given" }));
    }
  });
});
