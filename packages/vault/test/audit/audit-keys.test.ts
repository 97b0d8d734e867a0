/**
 * The keys of the audit: made once whoever comes first, made with people, found with them, and let go of alone.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { VaultError } from "@strongroom/vault";
import type { Creation, KeyRead, KeyRows, SubjectId } from "@strongroom/vault";
import { memoryKeyStore, MemoryKeyStorage } from "@strongroom/vault/memory";
import type { AuditKeys, PartOwner } from "../../src/audit/audit-keys.ts";
import { newPeople } from "../../src/store-contract/people.ts";
import { at } from "../../src/store-contract/changes.ts";
import { keyTablesOf } from "../../src/stores/memory/key-tables.ts";
import type { EntryId } from "../../src/stores/outbox.ts";
import { rejectsWith } from "../support/errors.ts";
import { aboutNobody, byName, opened, sealed, testKeys } from "../support/subject-keys.ts";
import type { TestKeys } from "../support/subject-keys.ts";

/** Calls of a key store, with how much was asked for at once. */
interface Call {
  readonly name: string;
  readonly count: number;
}

function counted(calls: Call[]): (rows: KeyRows) => Partial<KeyRows> {
  return (rows) =>
    Object.fromEntries(
      Object.entries(rows).map(([name, method]: [string, (...args: unknown[]) => unknown]) => [
        name,
        (...args: unknown[]) => {
          const [first] = args;
          calls.push({ name, count: Array.isArray(first) ? first.length : 1 });
          return method(...args);
        },
      ]),
    );
}

const auditOf = ({ keys }: TestKeys): Promise<AuditKeys> => keys.audit(undefined);
const personOf = (id: string): PartOwner => `person:${id}`;
const entry = randomUUID() as string as EntryId;

async function sealFor(
  keys: AuditKeys,
  ...owners: readonly PartOwner[]
): Promise<readonly { entry: EntryId; person: never }[]> {
  const all = await keys.partKeys(owners);
  return all.map((key, index) => {
    const person = key.seal(entry, { subject: owners[index] ?? null, records: [["r", index]] });
    return { entry, person: person as never };
  });
}

const subjectsIn = async (keys: AuditKeys, parts: Parameters<AuditKeys["openParts"]>[0]): Promise<unknown> =>
  (await keys.openParts(parts)).map((part) => part?.subject ?? null);

describe("the root", () => {
  test("is made once, also by many processes at the same time, and all derive the same of it", async (t) => {
    const storage = new MemoryKeyStorage();
    const all = await Promise.all(Array.from({ length: 12 }, () => auditOf(testKeys(t, { storage }))));
    const text = Buffer.from("an entry");
    const derived = all.map((keys) => {
      using seed = keys.signingSeed();
      return [Buffer.from(keys.mac(text)).toString("hex"), keys.tag(at("a")), seed.bytes.toString("hex")].join(" ");
    });
    assert.equal(new Set(derived).size, 1);
    assert.equal(new Set(derived[0]!.split(" ")).size, 3);
    assert.equal((await memoryKeyStore({ storage }).keys.counts()).audit, 1);
    const [part] = await sealFor(all[0]!, "vault");
    for (const keys of all) {
      assert.ok(keys.verifies(text, all[0]!.mac(text)));
      assert.deepEqual(await subjectsIn(keys, [part!]), ["vault"]);
    }
  });

  test("is another one in another vault, and so is everything of it", async (t) => {
    const [one, other] = await Promise.all([auditOf(testKeys(t)), auditOf(testKeys(t, { vault: randomUUID() }))]);
    assert.notEqual(one.tag(at("a")), other.tag(at("a")));
    assert.notEqual(one.tag(at("a")), one.tag(at("b")));
    assert.notEqual(one.tag(at("a")), one.tag(at("a", "pets")));
    assert.match(one.tag(at("a")), /^[A-Za-z0-9_-]{22}$/);
    assert.ok(!other.verifies(Buffer.from("x"), one.mac(Buffer.from("x"))));
  });

  test("that is gone is not made anew: not while there are keys under it, nor a checkpoint", async (t) => {
    const storage = new MemoryKeyStorage();
    const keys = testKeys(t, { storage });
    await sealFor(await auditOf(keys), personOf(randomUUID()));
    keyTablesOf(storage).keys.delete("vault");
    await rejectsWith("key-store-behind", () => auditOf(testKeys(t, { storage })));
    const another = new MemoryKeyStorage();
    await testKeys(t, { storage: another }).sealer(byName("subject", "ada"));
    await memoryKeyStore({ storage: another }).checkpoint.replace("a note", null);
    await rejectsWith("key-store-behind", () => auditOf(testKeys(t, { storage: another })));
    const fresh = new MemoryKeyStorage();
    await testKeys(t, { storage: fresh }).sealer(byName("subject", "ada"));
    await auditOf(testKeys(t, { storage: fresh }));
  });

  test("is asked for again where opening it failed", async (t) => {
    const keys = testKeys(t);
    keys.keyring.before = () => {
      throw new VaultError("store-failed", "not now");
    };
    await assert.rejects(auditOf(keys));
    keys.keyring.before = () => undefined;
    await auditOf(keys);
  });
});

describe("people's keys", () => {
  for (const scope of ["record", "subject", "tenant"] as const)
    test(`are made in the call in which people are, in ${scope} scope`, async (t) => {
      const calls: Call[] = [];
      const keys = testKeys(t, { rows: counted(calls) });
      const audit = await auditOf(keys);
      await keys.sealer(byName(scope, "before"));
      calls.length = 0;
      const before = keys.keyring.calls.encrypts;
      const requests = Array.from({ length: 20 }, (_, n) => byName(scope, `person-${n}`));
      const sealers = (await keys.keys.sealers(requests, undefined)) as readonly { subject: string }[];
      const people = sealers.map(({ subject }) => subject);
      const made = scope === "subject" ? 20 : 0;
      assert.equal(keys.keyring.calls.encrypts, before + made, "no KMS is asked for a key of the audit");
      assert.deepEqual(calls, [
        { name: "resolve", count: 20 },
        { name: "create", count: 40 },
      ]);
      calls.length = 0;
      const parts = await sealFor(audit, ...people.map(personOf));
      assert.deepEqual(calls, [], "they are at hand");
      assert.deepEqual(await subjectsIn(audit, parts), people.map(personOf));
    });

  test("of more people than one call of the key store takes", async (t) => {
    const created: number[] = [];
    const keys = testKeys(t, {
      rows: (rows) => ({
        create: (creations: readonly Creation[]) => {
          created.push(creations.length);
          return rows.create(creations);
        },
      }),
    });
    await auditOf(keys);
    created.length = 0;
    const sealers = await keys.keys.sealers(
      Array.from({ length: 1_100 }, (_, n) => byName("record", `person-${n}`)),
      undefined,
    );
    assert.ok(sealers.every((sealer) => !(sealer instanceof Error)));
    assert.deepEqual(created, [2, 1_000, 1_000, 200].slice(-created.length));
  });

  test("of people and collections from before the audit are made when they are first needed: in one call", async (t) => {
    const storage = new MemoryKeyStorage();
    const people = newPeople(700).map(personOf);
    const calls: Call[] = [];
    const keys = testKeys(t, { storage, rows: counted(calls) });
    const audit = await auditOf(keys);
    calls.length = 0;
    const owners = [...people, "collection:notes" as const, "vault" as const];
    const parts = await sealFor(audit, ...owners);
    assert.deepEqual(calls, [
      { name: "active", count: 701 },
      { name: "create", count: 701 },
    ]);
    const other = await auditOf(testKeys(t, { storage }));
    assert.deepEqual(await subjectsIn(other, parts), owners);
    assert.deepEqual(
      (await other.partKeys(owners)).map(({ version }) => version),
      (await audit.partKeys(owners)).map(({ version }) => version),
    );
  });

  test("that many ask for at once are read once, and made once by several processes", async (t) => {
    const storage = new MemoryKeyStorage();
    const calls: Call[] = [];
    const owner = personOf(randomUUID());
    const all = await Promise.all([1, 2, 3].map(() => auditOf(testKeys(t, { storage, rows: counted(calls) }))));
    calls.length = 0;
    const made = await Promise.all(all.flatMap((keys) => Array.from({ length: 100 }, () => keys.partKeys([owner]))));
    assert.equal(new Set(made.map(([key]) => key?.version)).size, 1);
    assert.ok(calls.length <= 9, JSON.stringify(calls));
    assert.equal((await all[0]!.versionsOf(owner)).length, 1);
  });

  test("are read beside a key that is read anyway: no round trip comes after it", async (t) => {
    const storage = new MemoryKeyStorage();
    const first = testKeys(t, { storage });
    await auditOf(first);
    const ada = await first.sealer(byName("subject", "ada"));
    const nobody = await first.sealer(aboutNobody("subject", "notes"));
    const messages = await Promise.all([sealed(ada), sealed(nobody)]);
    const calls: Call[] = [];
    const second = testKeys(t, { storage, rows: counted(calls) });
    const audit = await auditOf(second);
    calls.length = 0;
    for (const message of messages) await opened(second.keys, message);
    assert.deepEqual(calls.map(({ name }) => name).sort(), ["active", "active", "version", "version"]);
    calls.length = 0;
    await sealFor(audit, personOf(ada.subject), "collection:notes");
    assert.deepEqual(calls, []);
  });

  test("outlive the person's own, and go alone", async (t) => {
    const storage = new MemoryKeyStorage();
    const keys = testKeys(t, { storage });
    const audit = await auditOf(keys);
    const ada = await keys.sealer(byName("subject", "ada"));
    const owner = personOf(ada.subject);
    const parts = await sealFor(audit, owner);
    await keys.store.keys.erase([ada.subject as string as SubjectId], new Date().toISOString());
    const other = await auditOf(testKeys(t, { storage }));
    assert.deepEqual(await subjectsIn(other, parts), [owner]);
    keyTablesOf(storage).keys.delete(owner);
    assert.deepEqual(await subjectsIn(other, parts), [null]);
    assert.deepEqual(await other.versionsOf(owner), []);
  });
});

describe("a hand in the key store", () => {
  /** Two people with keys, in a store whose answers a test changes. */
  async function tampered(
    t: Parameters<typeof testKeys>[0],
    change: (read: KeyRead, people: readonly string[]) => KeyRead,
  ): Promise<{ readonly audit: AuditKeys; readonly people: readonly PartOwner[] }> {
    const storage = new MemoryKeyStorage();
    const people = newPeople(2).map(personOf);
    const first = await auditOf(testKeys(t, { storage }));
    await first.partKeys(people);
    const audit = await auditOf(
      testKeys(t, {
        storage,
        rows: (rows) => ({
          active: async (names) => (await rows.active(names)).map((read) => change(read, people)),
          versions: async (name) => {
            const own = await rows.versions(name);
            const others = await rows.versions({ ...name, owner: people.find((one) => one !== name.owner)! });
            return [...own, ...others.map((read) => ({ ...read, key: { ...read.key!, owner: name.owner } }))];
          },
        }),
      }),
    );
    return { audit, people };
  }

  const isOf = (read: KeyRead, owner: string): boolean => read.key?.owner === owner;
  const cases: Readonly<Record<string, (read: KeyRead, people: readonly string[]) => KeyRead>> = {
    "another person's row": (read, [a, b]) => (isOf(read, a!) ? { key: { ...read.key!, owner: b! } } : read),
    "a check that was changed": (read, [a]) =>
      isOf(read, a!) ? { key: { ...read.key!, check: Buffer.alloc(32) } } : read,
    "a wrap that was changed": (read, [a]) => {
      if (!isOf(read, a!)) return read;
      const [wrap] = read.key!.wraps;
      const ciphertext = Buffer.from(wrap!.ciphertext);
      ciphertext[60]! ^= 1;
      return { key: { ...read.key!, wraps: [{ ...wrap!, ciphertext }] } };
    },
    "another ordinal": (read, [a]) => (isOf(read, a!) ? { key: { ...read.key!, ordinal: 2 } } : read),
    "what nobody writes": (read, [a]) => (isOf(read, a!) ? { key: null, damage: "version" } : read),
  };
  for (const [name, change] of Object.entries(cases))
    test(`${name} is refused, and nobody else's key with it`, async (t) => {
      const { audit, people } = await tampered(t, change);
      const [first, second] = await Promise.allSettled([audit.partKeys([people[0]!]), audit.partKeys([people[1]!])]);
      assert.equal((first as PromiseRejectedResult).reason.code, "subject-key-tampered");
      assert.equal(second.status, "fulfilled");
      await rejectsWith("subject-key-tampered", () => audit.partKeys(people));
    });

  test("a version of somebody else's among a person's finds nothing of theirs", async (t) => {
    const { audit, people } = await tampered(t, (read) => read);
    for (const person of people)
      assert.deepEqual(
        await audit.versionsOf(person),
        (await audit.partKeys([person])).map(({ version }) => version),
      );
  });
});

test("a closed vault has no key of it any more", async (t) => {
  const keys = testKeys(t);
  const audit = await auditOf(keys);
  const parts = await sealFor(audit, "vault", personOf(randomUUID()));
  keys.keys.close();
  await new Promise(setImmediate);
  assert.throws(() => audit.mac(Buffer.from("text")));
  assert.throws(() => audit.tag(at("a")));
  assert.throws(() => audit.signingSeed());
  await rejectsWith("store-closed", () => audit.partKeys(["vault"]));
  await assert.rejects(audit.openParts(parts));
  assert.equal(keys.keyring.alive, 0);
});

test("keys are forgotten when they are old, and when there are too many", async (t) => {
  let now = 0;
  const calls: Call[] = [];
  const time = { now: () => now, after: () => () => undefined } as never;
  const keys = testKeys(t, { rows: counted(calls), cache: { maxAgeMs: 1_000, capacity: 3 }, time });
  const audit = await auditOf(keys);
  const people = newPeople(4).map(personOf);
  await audit.partKeys(people.slice(0, 3));
  calls.length = 0;
  await audit.partKeys(people.slice(0, 3));
  assert.deepEqual(calls, []);
  await audit.partKeys([people[3]!]);
  calls.length = 0;
  await audit.partKeys([people[0]!]);
  assert.deepEqual(calls, [{ name: "active", count: 1 }]);
  now = 1_001;
  calls.length = 0;
  await audit.partKeys([people[3]!]);
  assert.deepEqual(calls, [{ name: "active", count: 1 }]);
});
