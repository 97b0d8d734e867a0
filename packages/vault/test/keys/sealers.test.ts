/**
 * Sealers of batches: whom they are for, and what they cost at the keyring and at the key store.
 */
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { KeyRows, SubjectId } from "@strongroom/vault";
import { VaultError } from "@strongroom/vault";
import { MemoryKeyStorage } from "@strongroom/vault/memory";
import type { SealerRequest } from "../../src/keys/subject-keys.ts";
import type { Collection, RecordId, Subject } from "../../src/records/address.ts";
import { rejectsWith } from "../support/errors.ts";
import { aboutNobody, byId, byName, opened, sealed, testKeys, VAULT } from "../support/subject-keys.ts";
import type { TestKeys } from "../support/subject-keys.ts";

const SCOPES = ["record", "subject", "tenant"] as const;

/** Counts the calls to a key store. */
function counted(calls: string[]): (rows: KeyRows) => Partial<KeyRows> {
  return (rows) =>
    Object.fromEntries(
      Object.entries(rows).map(([name, method]: [string, (...args: unknown[]) => unknown]) => [
        name,
        (...args: unknown[]) => {
          calls.push(name);
          return method(...args);
        },
      ]),
    );
}

async function all({ keys }: TestKeys, requests: readonly SealerRequest[]): Promise<readonly string[]> {
  const sealers = await keys.sealers(requests, undefined);
  return sealers.map((sealer) => {
    if (sealer instanceof Error) throw sealer;
    sealer[Symbol.dispose]();
    return sealer.subject;
  });
}

for (const scope of SCOPES) {
  describe(`in ${scope} scope`, () => {
    test("a person is who they were, by name and by id, also for another process", async (t) => {
      const storage = new MemoryKeyStorage();
      const [one, other] = [testKeys(t, { storage }), testKeys(t, { storage })];
      const ada = await one.sealer(byName(scope, "ada@example.org", ["bob"]));
      const again = await other.sealer(byName(scope, "ada@example.org"));
      const byItsId = await other.sealer(byId(scope, ada.subject));
      assert.deepEqual([again.subject, byItsId.subject], [ada.subject, ada.subject]);
      assert.deepEqual([ada.name, again.name, byItsId.name], ["ada@example.org", "ada@example.org", "ada@example.org"]);
      const [bob] = await other.keys.resolve([{ name: "bob" as Subject, tenant: "default" }], undefined);
      assert.deepEqual(ada.about, [bob]);
      const ordinal = scope === "record" ? 0 : 1;
      const everybody = [
        { id: ada.subject as string, scope: scope as string, ordinal },
        { id: bob as string, scope: "record", ordinal: 0 },
      ].sort((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(ada.subjects, everybody);
      assert.equal(await other.keys.nameOf(ada.subject as string as SubjectId, undefined), "ada@example.org");
    });

    test("a batch asks the key store once for each thing, and known people need nothing", async (t) => {
      const calls: string[] = [];
      const keys = testKeys(t, { rows: counted(calls) });
      await all(keys, [byName(scope, "first")]);
      calls.length = 0;
      const batch = Array.from({ length: 200 }, (_, n) => byName(scope, `person-${n % 100}`));
      const subjects = await all(keys, batch);
      assert.equal(new Set(subjects).size, 100);
      assert.deepEqual(calls, ["resolve", "create"]);
      calls.length = 0;
      assert.deepEqual(await all(keys, batch), subjects);
      assert.deepEqual(calls, []);
      const made = keys.keys.counts().made;
      assert.equal(made.subject ?? made["tenant-subject"] ?? 0, scope === "record" ? 0 : 101);
    });

    test("people of one name in two tenants are two", async (t) => {
      const keys = testKeys(t);
      const [a, b] = await all(keys, [byName(scope, "ada", [], "acme"), byName(scope, "ada", [], "other")]);
      assert.notEqual(a, b);
    });

    test("a request that fails for itself fails no other", async (t) => {
      const { keys } = testKeys(t);
      const wrong = [
        byName(scope, "ada", [], "Not A Tenant"),
        byName(scope, Promise.resolve("ada") as unknown as string),
        byName(scope, "a\0b"),
        byId(scope, "somebody"),
        byId(scope, randomUUID()),
        byName("everything" as "record", "ada"),
        aboutNobody(scope, "Not a collection"),
      ];
      const [good, ...others] = await keys.sealers([byName(scope, "bob"), ...wrong], undefined);
      assert.ok(good !== undefined && !(good instanceof Error));
      assert.deepEqual(
        others.map((error) => (error instanceof VaultError ? error.code : null)),
        [
          "tenant-invalid",
          "subject-invalid",
          "subject-invalid",
          "subject-invalid",
          "subject-name-absent",
          "vault-option-invalid",
          "subject-invalid",
        ],
      );
      good[Symbol.dispose]();
    });
  });
}

for (const scope of ["subject", "tenant"] as const)
  test(`what is sealed in ${scope} scope is opened by whoever has the key store and the keyring, once a person`, async (t) => {
    const storage = new MemoryKeyStorage();
    const writer = testKeys(t, { storage });
    const messages = await Promise.all(
      ["ada", "bob", "ada"].map(async (name) => sealed(await writer.sealer(byName(scope, name)), name)),
    );
    const reader = testKeys(t, { storage });
    const texts = await Promise.all(Array.from({ length: 30 }, (_, n) => opened(reader.keys, messages[n % 3]!)));
    assert.deepEqual(texts.slice(0, 3), ["ada", "bob", "ada"]);
    assert.equal(reader.keyring.calls.decrypts, scope === "subject" ? 2 : 1);
    const later = await reader.sealer(byName(scope, "ada"));
    assert.equal(await opened(writer.keys, await sealed(later)), "a document");
  });

describe("the keyring is asked", () => {
  test("once a new person in subject scope, and not for one who is known; a bound of uses opens 1 in 10", async (t) => {
    const storage = new MemoryKeyStorage();
    const { keyring, sealer } = testKeys(t, { storage });
    await sealer(byName("subject", "first"));
    const before = { ...keyring.calls };
    const ada = await sealer(byName("subject", "ada"));
    for (let n = 0; n < 10; n++) await sealer(byName("subject", "ada"));
    assert.deepEqual(keyring.calls, { encrypts: before.encrypts + 1, decrypts: before.decrypts });
    const message = await sealed(ada);
    const reader = testKeys(t, { storage, cache: { maxUses: 10 } });
    for (let n = 0; n < 100; n++) await opened(reader.keys, message);
    assert.equal(reader.keyring.calls.decrypts, 10);
    // The names of those who are read cost no use; the key that finds people is opened once for them.
    const named = testKeys(t, { storage, cache: { maxUses: 10 } });
    for (let n = 0; n < 100; n++) {
      await opened(named.keys, message);
      await named.keys.nameOf(ada.subject as string as SubjectId, undefined);
    }
    assert.equal(named.keyring.calls.decrypts, 11);
  });

  test("once for a person who is read and then written about, or the other way round", async (t) => {
    const storage = new MemoryKeyStorage();
    const message = await sealed(await testKeys(t, { storage }).sealer(byName("subject", "ada")));
    const reading = testKeys(t, { storage });
    await opened(reading.keys, message);
    const before = reading.keyring.calls.decrypts;
    await reading.sealer(byName("subject", "ada"));
    assert.equal(reading.keyring.calls.decrypts, before + 1, "the lookup key");
    const writing = testKeys(t, { storage });
    await writing.sealer(byName("subject", "ada"));
    const after = writing.keyring.calls.decrypts;
    await opened(writing.keys, message);
    assert.equal(writing.keyring.calls.decrypts, after);
  });

  test("in tenant scope once a tenant, however many people there are", async (t) => {
    const storage = new MemoryKeyStorage();
    const keys = testKeys(t, { storage });
    await all(
      keys,
      Array.from({ length: 300 }, (_, n) => byName("tenant", `person-${n}`)),
    );
    const { encrypts, decrypts } = keys.keyring.calls;
    assert.ok(encrypts <= 3 && decrypts <= 3, `${encrypts} ${decrypts}`);
    const reader = testKeys(t, { storage });
    await all(
      reader,
      Array.from({ length: 300 }, (_, n) => byName("tenant", `person-${n}`)),
    );
    assert.ok(reader.keyring.calls.encrypts === 0 && reader.keyring.calls.decrypts <= 3);
  });

  test("once for 3,000 who want the same at the same time", async (t) => {
    const storage = new MemoryKeyStorage();
    const writer = testKeys(t, { storage });
    const message = await sealed(await writer.sealer(byName("subject", "ada")));
    const { keys, keyring } = testKeys(t, { storage });
    await Promise.all(Array.from({ length: 3_000 }, () => opened(keys, message)));
    assert.equal(keyring.calls.decrypts, 1);
  });

  test("and its failure fails all, keeps its code, and leaves no key behind", async (t) => {
    const { keys, keyring, sealer } = testKeys(t);
    await sealer(byName("subject", "ada"));
    let left = 5;
    keyring.before = () => {
      if (--left < 0) throw new VaultError("regions-unavailable", "none answers");
    };
    const alive = keyring.alive;
    await rejectsWith("regions-unavailable", () =>
      keys.sealers(
        Array.from({ length: 20 }, (_, n) => byName("subject", `person-${n}`)),
        undefined,
      ),
    );
    assert.equal(keyring.alive, alive);
  });
});

test("nobody has a key of the collection, and no person", async (t) => {
  const { sealer, keys } = testKeys(t);
  const codes = await sealer({ ...aboutNobody("subject", "codes"), also: ["ada" as Subject] });
  const [ada] = await keys.resolve([{ name: "ada" as Subject, tenant: "default" }], undefined);
  assert.deepEqual([codes.subject, codes.name, codes.about], ["collection:codes", null, [ada]]);
  assert.deepEqual(codes.subjects, [{ id: ada, scope: "record", ordinal: 0 }]);
  assert.equal(await opened(keys, await sealed(codes)), "a document");
  const record = await sealer(aboutNobody("record", "codes"));
  assert.deepEqual([record.subject, record.keyring, record.wrapSet], ["collection:codes", null, null]);
});

test("a renewed key seals from then on, and what was sealed before still opens", async (t) => {
  for (const scope of ["subject", "tenant"] as const) {
    const { sealer, keys } = testKeys(t);
    const before = await sealer(byName(scope, "ada"));
    const message = await sealed(before, "before");
    await keys.renew(before.subject as string as SubjectId, scope, undefined);
    const after = await sealer(byName(scope, "ada"));
    assert.deepEqual([before.subjects[0]?.ordinal, after.subjects[0]?.ordinal], [1, 2]);
    assert.deepEqual(
      [await opened(keys, message), await opened(keys, await sealed(after, "after"))],
      ["before", "after"],
    );
    await rejectsWith("subject-key-absent", () => keys.renew(randomUUID() as string as SubjectId, scope, undefined));
  }
});

test("ids and names are found by a keyed hash, which only the vault's own keys make", async (t) => {
  const { sealer, keys, store } = testKeys(t);
  const ada = await sealer(byName("record", "ada"));
  const id = "ada@example.org" as RecordId;
  const [people, invoices] = ["people", "invoices"] as readonly string[] as readonly Collection[];
  const [rowId] = await keys.rowIds(people!, [id], undefined);
  assert.match(rowId!, /^[\w-]{43}$/);
  assert.notEqual(rowId, (await keys.rowIds(invoices!, [id], undefined))[0]);
  assert.deepEqual(await testKeys(t, { store }).keys.rowIds(people!, [id], undefined), [rowId]);
  for (const sealer of [ada, await testKeys(t, { store }).sealer(byName("subject", "bob"))]) {
    const bytes = sealer.sealId(people!, rowId!, id);
    assert.ok(!Buffer.from(bytes).includes("example"));
    assert.equal(
      await testKeys(t, { store }).keys.openId(bytes, { collection: people!, rowId: rowId! }, undefined),
      id,
    );
    await rejectsWith("record-tampered", () => keys.openId(bytes, { collection: invoices!, rowId: rowId! }, undefined));
    const other = "x".repeat(43) as RecordId;
    await rejectsWith("record-tampered", () => keys.openId(bytes, { collection: people!, rowId: other }, undefined));
    const lying = sealer.sealId(people!, rowId!, "bob@example.org" as RecordId);
    await rejectsWith("record-tampered", () => keys.openId(lying, { collection: people!, rowId: rowId! }, undefined));
  }
  // The tag of a name is an HMAC over vault, tenant and name: whoever has the lookup key finds it again.
  const [row] = await store.keys.names([ada.subject as string as SubjectId]);
  const lookup = await store.keys.active([{ kind: "lookup", owner: "vault" }]);
  const { rawAesKeyring } = await import("@strongroom/envelope");
  const { unwrapKey } = await import("@strongroom/envelope/keyrings");
  const { keyContext } = await import("../../src/keys/key-binding.ts");
  const { WRAPPING_KEY } = await import("../support/subject-keys.ts");
  const found = lookup[0]!.key!;
  const { key } = await unwrapKey(
    found.wraps.map(({ provider, info, ciphertext }) => ({ providerId: provider, providerInfo: info, ciphertext })),
    {
      keyring: rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: WRAPPING_KEY }),
      encryptionContext: keyContext(VAULT, found, found.createdAt),
      accepts: () => true,
    },
  );
  const parts = ["strongroom/subject/1", VAULT, "default", "ada"];
  const text = parts.map((part) => `\0\0\0${String.fromCharCode(part.length)}${part}`).join("");
  assert.deepEqual(Buffer.from(row!.tag), createHmac("sha256", key.bytes).update(text).digest());
});

test("wraps of keys are told without opening any", async (t) => {
  const { sealer, store } = testKeys(t);
  const [ada, bob] = [await sealer(byName("subject", "ada")), await sealer(byName("tenant", "bob"))];
  const { keys, keyring } = testKeys(t, { store });
  const sets = await keys.wrapSets([ada.subject, bob.subject, randomUUID(), "collection:codes", "lookup:me"]);
  assert.deepEqual(
    sets.map((set) => set?.wraps.map(({ provider }) => provider)),
    [["test"], ["strongroom-tenant"], undefined, undefined, undefined],
  );
  assert.deepEqual(keyring.calls, { encrypts: 0, decrypts: 0 });
});
