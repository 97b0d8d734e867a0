/**
 * A vault on behalf of callers with roles: what is shown, taken and refused, and that nothing is told by what is
 * refused.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { inspect } from "node:util";
import { isVaultError, Sealed } from "@strongroom/vault";
import type { ActingVault, CollectionOptions, JsonObject, RolesOptions, Store } from "@strongroom/vault";
import { email } from "@strongroom/vault/normalisers";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { storeWith } from "../support/store-with.ts";

const PEOPLE: CollectionOptions = {
  subject: { field: "email" },
  fields: {
    email: { find: email(), unique: true, mask: "email" },
    name: { mask: "name" },
    ssn: { mask: "hash" },
    note: {},
  },
};
const ROLES: RolesOptions = {
  masked: { grants: [{ collection: "people", fields: ["*"], actions: ["read:masked"] }] },
  clerk: {
    grants: [
      { collection: "people", fields: ["plan"], actions: ["read"] },
      { collection: "people", fields: ["name", "email", "note"], actions: ["read:masked"] },
      { collection: "people", fields: ["name", "note", "address.city"], actions: ["write"] },
    ],
  },
  editor: {
    grants: [
      { collection: "people", fields: ["plan"], actions: ["read"] },
      { collection: "people", fields: ["*"], actions: ["read:masked", "write"] },
    ],
  },
  finder: { grants: [{ collection: "people", fields: ["*"], actions: ["write", "find:email"] }] },
};
const ADA = { email: "ada@example.com", name: "Ada Lovelace", ssn: "123-45-6789", note: "likes tea", plan: "free" };
const DECLARED = { people: PEOPLE, ids: { ids: "sealed" } } as const;
const WHERE = { collection: "people", id: "1" };

interface Opened extends AuditedVault {
  readonly as: (...roles: readonly string[]) => ActingVault;
  readonly stored: () => Promise<JsonObject>;
}

async function opened(t: TestContext, alter?: (store: Store) => Store): Promise<Opened> {
  const made = await auditedVault(t, { collections: DECLARED, roles: ROLES, ...(alter && { alter }) });
  await made.vault.put(WHERE, ADA);
  return {
    ...made,
    as: (...roles) => made.vault.as({ principal: "token:1" }, { roles }),
    stored: async () => (await made.vault.get(WHERE)).document,
  };
}

const refused =
  (...codes: readonly string[]) =>
  (error: unknown): boolean =>
    isVaultError(error) && codes.includes(error.code);

test("a vault without roles gives everything; one with roles what they allow", async (t) => {
  const { as, vault } = await opened(t);
  assert.deepEqual((await vault.get(WHERE)).document, ADA);
  assert.deepEqual((await as("read").get(WHERE)).document, ADA);
  const record = await as("masked").get(WHERE);
  const { ssn, ...others } = record.document;
  assert.deepEqual(others, { email: "a•••@example.com", name: "A. L.", note: "•••" });
  assert.match(ssn as string, /^hash:[A-Za-z0-9_-]{22}$/);
  // Whom it is about is the e-mail address.
  assert.equal(record.subject, null);
  assert.ok(!inspect(record).includes("ada@example.com"));
  for (const nobody of [[], ["write"], ["unknown"]])
    await assert.rejects(as(...nobody).get(WHERE), refused("not-permitted"));
});

test("equal values of one field have one hash, in whatever record, and no two vaults have the same", async (t) => {
  const { as, vault } = await opened(t);
  await vault.put({ collection: "people", id: "2" }, { email: "b@example.com", ssn: ADA.ssn, name: ADA.ssn });
  await vault.put({ collection: "people", id: "3" }, { email: "c@example.com", ssn: "123-45-6788" });
  const ssnOf = async (id: string): Promise<unknown> =>
    (await as("masked").get({ collection: "people", id })).document["ssn"];
  const [one, two, three] = [await ssnOf("1"), await ssnOf("2"), await ssnOf("3")];
  assert.equal(one, two);
  assert.notEqual(one, three);
  const other = await opened(t);
  assert.notEqual((await other.as("masked").get(WHERE)).document["ssn"], one);
  // Whoever may write the field would try values.
  assert.equal((await as("editor").get(WHERE)).document["ssn"], "•••");
  assert.equal((await as("masked", "finder").get(WHERE)).document["ssn"], "•••");
});

test("the key of hashes is one of its own, made once, and known to every process", async (t) => {
  const { as, another, keyStore } = await opened(t);
  const first = (await as("masked").get(WHERE)).document["ssn"];
  const counts = await keyStore.keys.counts();
  assert.equal(counts.mask, 1);
  const second = await another({ collections: { people: PEOPLE, ids: { ids: "sealed" } }, roles: ROLES });
  const shown = await second.as({ principal: "token:2" }, { roles: ["masked"] }).get(WHERE);
  assert.equal(shown.document["ssn"], first);
  assert.equal((await keyStore.keys.counts()).mask, 1);
});

test("some fields: those that may be seen, and of others it is said before the record is looked for", async (t) => {
  const { as } = await opened(t);
  const clerk = as("clerk");
  assert.deepEqual((await clerk.get(WHERE, { fields: ["plan"] })).document, { plan: "free" });
  assert.deepEqual((await clerk.get(WHERE, { fields: ["note", "plan"] })).document, { note: "•••", plan: "free" });
  assert.deepEqual((await as("read").get(WHERE, { fields: ["ssn", "none"] })).document, { ssn: ADA.ssn });
  for (const id of ["1", "absent"])
    for (const field of ["ssn", "plаn", "__proto__", "constructor", "plan.x.y", "note.x"]) {
      const asked = clerk.get({ collection: "people", id }, { fields: ["plan", field] });
      const of = field === "plan.x.y" ? (id === "1" ? null : "record-absent") : "field-forbidden";
      if (of === null) assert.deepEqual((await asked).document, { plan: "free" });
      else await assert.rejects(asked, refused(of));
    }
  for (const fields of [
    [],
    ["plan", "plan"],
    [""],
    ["a..b"],
    ["*"],
    Array.from({ length: 65 }, (_, n) => `f${n}`),
    "plan",
  ])
    await assert.rejects(clerk.get(WHERE, { fields: fields as string[] }), refused("fields-invalid"));
});

test("history, lists of sealed ids, removal and batches are for whoever sees or writes documents whole", async (t) => {
  const { as, vault } = await opened(t);
  await vault.put({ collection: "ids", id: "ada@example.com" }, { a: 1 });
  for (const role of ["masked", "clerk", "editor"]) {
    await assert.rejects(as(role).history(WHERE), refused("not-permitted"));
    await assert.rejects(as(role).list("ids"), refused("not-permitted"));
    await assert.rejects(
      as(role).putMany("people", [{ id: "9", document: { note: "x" } }], { onExisting: "keep" }),
      refused("not-permitted", "field-forbidden"),
    );
    await assert.rejects(as(role).prepare(WHERE, { note: "x" }), refused("not-permitted"));
    await assert.rejects(as(role).debts(), refused("not-permitted"));
    await assert.rejects(as(role).flipKeySet(), refused("not-permitted"));
    assert.equal((await as(role).list("people")).items.length, 1);
  }
  for (const role of ["masked", "clerk"]) await assert.rejects(as(role).remove(WHERE), refused("not-permitted"));
  assert.equal((await as("read").list("ids")).items.length, 1);
  await assert.rejects(
    as("write").putMany("people", [{ id: "9", document: { note: "x" } }], { onExisting: "compare" }),
    refused("not-permitted"),
  );
});

test("whoever writes a part sets what is sent, and everything else stays", async (t) => {
  const { as, stored } = await opened(t);
  const clerk = as("clerk");
  const put = await clerk.put(WHERE, { note: "likes coffee" });
  assert.deepEqual([put.version, put.outcome, put.subject], [2, "replaced", null]);
  assert.deepEqual(await stored(), { ...ADA, note: "likes coffee" });
  await clerk.put(WHERE, { address: { city: "London" } });
  assert.deepEqual(await stored(), { ...ADA, note: "likes coffee", address: { city: "London" } });
  for (const document of [{ ssn: "1" }, { plan: "paid" }, { address: { street: "x" } }, { address: "x" }, { x: {} }])
    await assert.rejects(clerk.put(WHERE, document), refused("field-forbidden"), JSON.stringify(document));
  await as("write").put(WHERE, { whole: true });
  assert.deepEqual(await stored(), { whole: true });
});

test("what comes back as it was shown stays what it is, and a mask is never stored", async (t) => {
  const { as, stored } = await opened(t);
  const clerk = as("clerk");
  const { document } = await clerk.get(WHERE);
  await assert.rejects(
    clerk.put(WHERE, document),
    refused("field-forbidden"),
    "a unique field that it may not find by",
  );
  const others = Object.fromEntries(Object.entries(document).filter(([name]) => name !== "email"));
  await clerk.put(WHERE, others);
  assert.deepEqual(await stored(), ADA);
  for (const note of ["•••", "x•••y", ["•••"], { a: "•••" }])
    if (note !== "•••") await assert.rejects(clerk.put(WHERE, { note }), refused("value-masked"), JSON.stringify(note));
  // Initials that were shown of another version.
  await assert.rejects(clerk.put(WHERE, { name: "B. L." }), refused("value-masked"));
  await assert.rejects(as("editor").put(WHERE, { ssn: `hash:${"A".repeat(22)}` }), refused("value-masked"));
  assert.deepEqual(await stored(), ADA);
  await clerk.put(WHERE, { name: "Ada King" });
  assert.deepEqual(await stored(), { ...ADA, name: "Ada King" });
});

test("conditions hold for whoever writes a part too, and writers beside one another lose nothing", async (t) => {
  const { as, stored } = await opened(t);
  const clerk = as("clerk");
  const version = (at: number) => ({ expect: { kind: "version", version: at } }) as const;
  await assert.rejects(clerk.put(WHERE, { note: "x" }, version(7)), refused("version-conflict"));
  await assert.rejects(clerk.put(WHERE, { note: "x" }, { expect: { kind: "absent" } }), refused("version-conflict"));
  await assert.rejects(
    clerk.put({ collection: "people", id: "none" }, { note: "x" }, { expect: { kind: "present" } }),
    refused("version-conflict"),
  );
  await clerk.put(WHERE, { note: "y" }, version(1));
  await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      index % 2 === 0 ? clerk.put(WHERE, { note: String(index) }) : as("editor").put(WHERE, { [`f${index}`]: index }),
    ),
  );
  const document = await stored();
  assert.deepEqual([document["f1"], document["f3"], document["f5"], document["ssn"]], [1, 3, 5, ADA.ssn]);
});

test("what is written over is what was read, whatever comes in between", async (t) => {
  let between: (() => Promise<unknown>) | null = null;
  /** Where nothing has come in between, afterwards. */
  const comeBetween = async (): Promise<void> => {
    const now = between;
    between = null;
    await now?.();
  };
  const made = await opened(t, (store) =>
    storeWith(store, {
      records: {
        heads: async (addresses) => {
          await comeBetween();
          return store.records.heads(addresses);
        },
      },
    }),
  );
  const [clerk, other] = [made.as("clerk"), await made.another({ collections: DECLARED, roles: ROLES })];
  between = () => other.put(WHERE, { ...ADA, plan: "paid" });
  // It expects the version that comes in between, and has read the one before.
  await clerk.put(WHERE, { note: "x" }, { expect: { kind: "version", version: 2 } }).catch(comeBetween);
  assert.equal((await made.stored())["plan"], "paid");
  between = () => other.remove(WHERE);
  await clerk.put(WHERE, { note: "y" }, { expect: { kind: "absent" } }).catch(comeBetween);
  await assert.rejects(made.stored(), refused("record-absent"));
});

test("a unique field, and whom a record is about, are written by whoever may find by it", async (t) => {
  const { as } = await opened(t);
  for (const role of ["write", "editor"])
    for (const address of ["ada@example.com", "nobody@example.com"])
      await assert.rejects(
        as(role).put({ collection: "people", id: "2" }, { email: address, name: "x" }),
        refused("field-forbidden"),
      );
  await assert.rejects(
    as("write").putMany("people", [{ id: "2", document: { email: "x@example.com" } }], { onExisting: "keep" }),
    refused("field-forbidden"),
  );
  await as("finder").put({ collection: "people", id: "2" }, { email: "b@example.com" });
  await as("read", "write").put({ collection: "people", id: "3" }, { email: "c@example.com" });
  for (const subject of ["ada@example.com", "bob@example.com"])
    await assert.rejects(as("clerk").put(WHERE, { note: "x" }, { subject }), refused("not-permitted"));
});

test("whoever sees masks finds by what it may find by alone, and hits are masked as reads are", async (t) => {
  const { as, vault } = await opened(t);
  const query = { email: "ADA@example.com" };
  assert.equal((await vault.find("people", query)).items.length, 1);
  assert.deepEqual((await as("read").find("people", query)).items[0]?.document, ADA);
  for (const role of ["masked", "clerk", "editor"])
    for (const asked of [query, { email: "nobody@example.com" }, { none: "x" }]) {
      await assert.rejects(as(role).find("people", asked), refused("field-forbidden"));
      await assert.rejects(as(role).countFound("people", asked), refused("field-forbidden"));
      await assert.rejects(as(role).explainFind("people", asked), refused("field-forbidden"));
    }
  // Who may find and sees nothing is told how many there are, and gets none.
  await assert.rejects(as("finder").find("people", query), refused("not-permitted"));
  assert.equal((await as("finder").countFound("people", query)).atMost, 1);
  const { items } = await as("masked", "finder").find("people", query);
  assert.deepEqual(items[0]?.document, { email: "a•••@example.com", name: "A. L.", note: "•••", ssn: "•••" });
  assert.ok(!inspect(items, { depth: 9 }).includes("ada@example.com"));
});

test("what is refused is in the audit with its code, and with no value", async (t) => {
  const { as, entries } = await opened(t);
  await assert.rejects(as("clerk").get(WHERE, { fields: ["ssn"] }), refused("field-forbidden"));
  await assert.rejects(as().get(WHERE), refused("not-permitted"));
  const told = await entries("read");
  assert.deepEqual(
    told.map(({ result, collection }) => [result, collection]),
    [
      ["field-forbidden", "people"],
      ["not-permitted", "people"],
    ],
  );
});

test("a sealed record gives its declared fields sealed, and of whom it is about nothing", async (t) => {
  const { vault, as } = await opened(t);
  const record = await vault.get(WHERE, { sealed: true });
  assert.ok(record.document["email"] instanceof Sealed);
  assert.equal(record.document["email"].expose(), ADA.email);
  assert.equal(record.document["plan"], "free");
  for (const text of [inspect(record, { depth: 9 }), JSON.stringify(record)])
    for (const raw of [ADA.email, ADA.name, ADA.ssn, ADA.note]) assert.ok(!text.includes(raw), text);
  const masked = await as("masked").get(WHERE, { sealed: true });
  assert.equal((masked.document["email"] as Sealed<unknown>).expose(), "a•••@example.com");
});
