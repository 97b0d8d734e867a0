/**
 * A key store that somebody else writes to: every row, wrap, version and name in another one's place, on read and on
 * write. Nothing is sealed under it, and nothing is opened.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import type { KeyRead, KeyRow, KeyRows, SubjectId } from "@strongroom/vault";
import { MemoryKeyStorage } from "@strongroom/vault/memory";
import { envelopeFailure } from "../../src/envelope-failure.ts";
import type { SealerRequest } from "../../src/keys/subject-keys.ts";
import type { Subject } from "../../src/records/address.ts";
import { rejectsWith } from "../support/errors.ts";
import { byId, byName, opened, sealed, testKeys } from "../support/subject-keys.ts";

/** Everybody, and what there is of them. */
interface Cast {
  readonly storage: MemoryKeyStorage;
  readonly rows: Readonly<Record<string, KeyRow>>;
  readonly ids: Readonly<Record<string, SubjectId>>;
  readonly messages: Readonly<Record<string, Uint8Array>>;
}

const REQUESTS: Readonly<Record<string, SealerRequest>> = {
  ada: byName("subject", "ada"),
  bob: byName("subject", "bob"),
  tad: byName("tenant", "tad", [], "acme"),
  tim: byName("tenant", "tim", [], "acme"),
  ivy: byName("tenant", "ivy", [], "other"),
};

async function cast(t: TestContext): Promise<Cast> {
  const storage = new MemoryKeyStorage();
  const { keys, store, sealer } = testKeys(t, { storage });
  const [rows, ids, messages]: [Record<string, KeyRow>, Record<string, SubjectId>, Record<string, Uint8Array>] = [
    {},
    {},
    {},
  ];
  for (const [who, request] of Object.entries(REQUESTS)) {
    const made = await sealer(request);
    const id = made.subject as string as SubjectId;
    messages[`${who} before`] = await sealed(made, who);
    const kind = request.scope === "subject" ? "subject" : "tenant-subject";
    rows[`${who} before`] = (await store.keys.active([{ kind, owner: id }]))[0]!.key!;
    await keys.renew(id, request.scope as "subject", undefined);
    messages[who] = await sealed(await sealer(request), who);
    rows[who] = (await store.keys.active([{ kind, owner: id }]))[0]!.key!;
    ids[who] = id;
  }
  return { storage, rows, ids, messages };
}

/** What a writer and a reader are told when the key store answers so. */
async function attempts(
  t: TestContext,
  { storage, messages }: Cast,
  who: string,
  rows: (rows: KeyRows) => Partial<KeyRows>,
): Promise<readonly string[]> {
  const alive = testKeys(t, { storage, rows });
  const [sealer] = await alive.keys.sealers([REQUESTS[who]!], undefined);
  const written = sealer instanceof Error ? (sealer as { code?: string }).code! : `sealed by ${sealer!.subject}`;
  const read = await opened(testKeys(t, { storage, rows }).keys, messages[who]!).then(
    (text) => `opened ${text}`,
    (error: unknown) => envelopeFailure(error).code as string,
  );
  return [written, read];
}

/** The key store with one row of `who`, active or by its version, as `changed` has it. */
function withRow(
  { ids, rows: known }: Cast,
  who: string,
  changed: Partial<KeyRow>,
): (rows: KeyRows) => Partial<KeyRows> {
  const answer = (read: KeyRead): KeyRead =>
    read.key !== null && read.key.owner === ids[who] && read.key.version === known[who]!.version
      ? { key: { ...read.key, ...changed } }
      : read;
  return (rows) => ({
    active: async (names) => (await rows.active(names)).map(answer),
    version: async (owner, version) => answer(await rows.version(owner, version)),
  });
}

const TAMPERED = ["subject-key-tampered", "subject-key-tampered"];

/** What is put into whose row. */
const SWAPS: readonly (readonly [name: string, who: string, change: (cast: Cast) => Partial<KeyRow>])[] = [
  ["another one's wraps", "bob", ({ rows }) => ({ wraps: rows["ada"]!.wraps })],
  ["another one's wraps and check", "bob", ({ rows }) => ({ wraps: rows["ada"]!.wraps, check: rows["ada"]!.check })],
  [
    "another one's whole key under their own id",
    "bob",
    ({ rows, ids }) => ({ ...rows["ada"]!, owner: ids["bob"]!, version: rows["bob"]!.version }),
  ],
  [
    "their own key of before",
    "bob",
    ({ rows }) => ({ wraps: rows["bob before"]!.wraps, check: rows["bob before"]!.check }),
  ],
  ["another ordinal", "bob", () => ({ ordinal: 3 })],
  ["another generation", "bob", () => ({ generation: 2 })],
  ["another time", "bob", () => ({ createdAt: "2020-01-01T00:00:00.000Z" })],
  ["another check", "bob", () => ({ check: Buffer.alloc(32) })],
  ["another kind", "bob", () => ({ kind: "tenant-subject" })],
  ["another owner", "bob", ({ ids }) => ({ owner: ids["ada"]! })],
  ["a wrap under a tenant's key", "bob", ({ rows }) => ({ kind: "subject", wraps: rows["tad"]!.wraps })],
  ["another one's wrap under the same tenant's key", "tim", ({ rows }) => ({ wraps: rows["tad"]!.wraps })],
  [
    "another one's wrap and check under the same tenant's key",
    "tim",
    ({ rows }) => ({ wraps: rows["tad"]!.wraps, check: rows["tad"]!.check }),
  ],
  ["another one's wrap under another tenant's key", "tim", ({ rows }) => ({ wraps: rows["ivy"]!.wraps })],
  [
    "the name of another tenant on their own wrap",
    "tim",
    ({ rows }) => ({ wraps: [{ ...rows["tim"]!.wraps[0]!, info: Buffer.from("other") }] }),
  ],
  ["another ordinal of a key under a tenant's", "tim", () => ({ ordinal: 3 })],
  ["another time of a key under a tenant's", "tim", () => ({ createdAt: "2020-01-01T00:00:00.000Z" })],
  ["another generation of a tenant's wrap", "tim", () => ({ generation: 2 })],
  ["a tenant's wrap twice", "tim", ({ rows }) => ({ wraps: [rows["tim"]!.wraps[0]!, rows["tim"]!.wraps[0]!] })],
  ["a wrap of the regions", "tim", ({ rows }) => ({ wraps: rows["ada"]!.wraps })],
];

/** A tenant's key that is not there under that name, or wraps of a provider that is none of the keyring's. */
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  "a wrap under a tenant's key": ["key-not-configured", "key-not-configured"],
  "the name of another tenant on their own wrap": ["subject-key-absent", "subject-key-absent"],
};

describe("refused on write and on read is a row with", () => {
  for (const [name, who, change] of SWAPS)
    test(name, async (t) => {
      const all = await cast(t);
      assert.deepEqual(await attempts(t, all, who, withRow(all, who, change(all))), OTHERWISE[name] ?? TAMPERED);
    });

  test("nothing changed: it seals and opens, or the others would prove nothing", async (t) => {
    const all = await cast(t);
    for (const who of Object.keys(REQUESTS))
      assert.deepEqual(await attempts(t, all, who, withRow(all, who, {})), [
        `sealed by ${all.ids[who]!}`,
        `opened ${who}`,
      ]);
  });
});

test("a retired key that is offered as the newest seals nothing unless its row says its own ordinal", async (t) => {
  const all = await cast(t);
  const [retired, active] = [all.rows["ada before"]!, all.rows["ada"]!];
  const offering = (changed: Partial<KeyRow>) => (rows: KeyRows) => ({
    active: async (names: Parameters<KeyRows["active"]>[0]) =>
      (await rows.active(names)).map((read) =>
        read.key?.owner === retired.owner ? { key: { ...retired, ...changed } } : read,
      ),
  });
  const [written] = await attempts(t, all, "ada", offering({ ordinal: active.ordinal + 1 }));
  assert.equal(written, "subject-key-tampered");
  // As it is, it is a key of theirs: the row of the person in the record store knows that there was a newer one.
  const { sealer } = testKeys(t, { storage: all.storage, rows: offering({}) });
  assert.equal((await sealer(REQUESTS["ada"]!)).subjects[0]?.ordinal, 1);
});

test("a retired key that was opened to read with is not sealed with when a row calls it the newest", async (t) => {
  const all = await cast(t);
  const [retired, active] = [all.rows["ada before"]!, all.rows["ada"]!];
  const rows = (inner: KeyRows): Partial<KeyRows> => ({
    active: async (names) =>
      (await inner.active(names)).map((read) =>
        read.key?.owner === retired.owner ? { key: { ...retired, ordinal: active.ordinal + 1 } } : read,
      ),
  });
  const { keys } = testKeys(t, { storage: all.storage, rows });
  assert.equal(await opened(keys, all.messages["ada before"]!), "ada");
  const [refused] = await keys.sealers([REQUESTS["ada"]!], undefined);
  assert.equal((refused as { code?: string }).code, "subject-key-tampered");
});

test("a retired version, or another one's, opens no message of the other one", async (t) => {
  const all = await cast(t);
  for (const other of ["ada", "bob before"]) {
    const rows = (inner: KeyRows): Partial<KeyRows> => ({
      version: () => inner.version(all.rows[other]!.owner, all.rows[other]!.version),
    });
    assert.equal((await attempts(t, all, "bob", rows))[1], "subject-key-tampered");
  }
  const none = (): Partial<KeyRows> => ({ version: () => Promise.resolve({ key: null }) });
  assert.equal((await attempts(t, all, "bob", none))[1], "subject-key-absent");
  const damaged = (inner: KeyRows): Partial<KeyRows> => ({
    version: () => Promise.resolve({ key: null, damage: "ordinal" }),
    active: async (names) =>
      (await inner.active(names)).map((read, index) =>
        names[index]!.kind === "subject" ? { key: null, damage: "ordinal" } : read,
      ),
  });
  assert.deepEqual(await attempts(t, all, "bob", damaged), TAMPERED);
});

test("a name that leads to somebody else, or to nobody's name, leads nowhere", async (t) => {
  const all = await cast(t);
  const ids = all.ids;
  const exchanged = (id: SubjectId): SubjectId =>
    id === ids["ada"] ? ids["bob"]! : id === ids["bob"] ? ids["ada"]! : id;
  const hooks: readonly ((rows: KeyRows) => Partial<KeyRows>)[] = [
    // The hash of one's name at the other's id.
    (rows) => ({
      resolve: async (tags) => (await rows.resolve(tags)).map((id) => (id === null ? null : exchanged(id))),
    }),
    // The other's sealed name in one's row.
    (rows) => ({
      names: async (asked) => {
        const found = await rows.names(asked.map(exchanged));
        return found.map((row, index) => (row === null ? null : { ...row, id: asked[index]! }));
      },
    }),
    // The other's whole row.
    (rows) => ({ names: (asked) => rows.names(asked.map(exchanged)) }),
    // Some bytes.
    (rows) => ({
      names: async (asked) =>
        (await rows.names(asked)).map((row) => (row === null ? null : { ...row, sealed: Buffer.alloc(90, 1) })),
    }),
  ];
  const named = [{ name: "ada" as Subject, tenant: "default" }];
  for (const rows of hooks) {
    assert.equal((await attempts(t, all, "ada", rows))[0], "subject-key-tampered");
    const { keys } = testKeys(t, { storage: all.storage, rows });
    await rejectsWith("subject-key-tampered", () => keys.resolve(named, undefined));
  }
  for (const rows of hooks.slice(1)) {
    const { keys } = testKeys(t, { storage: all.storage, rows });
    await rejectsWith("subject-key-tampered", () => keys.nameOf(ids["ada"]!, undefined));
    const [byItsId] = await keys.sealers([byId("subject", ids["ada"]!)], undefined);
    assert.equal((byItsId as { code?: string }).code, "subject-key-tampered");
  }
  const { keys } = testKeys(t, {
    storage: all.storage,
    rows: () => ({ names: (asked) => Promise.resolve(asked.map(() => null)) }),
  });
  await rejectsWith("subject-name-absent", () => keys.nameOf(ids["ada"]!, undefined));
});

test("people of one name in two tenants are not taken for each other", async (t) => {
  const storage = new MemoryKeyStorage();
  const { sealer } = testKeys(t, { storage });
  const [acme, other] = [
    await sealer(byName("tenant", "ada", [], "acme")),
    await sealer(byName("tenant", "ada", [], "other")),
  ];
  const rows = (inner: KeyRows): Partial<KeyRows> => ({
    resolve: async (tags) =>
      (await inner.resolve(tags)).map((id) => (id === null ? null : (other.subject as string as SubjectId))),
  });
  const { keys } = testKeys(t, { storage, rows });
  const [refused] = await keys.sealers([byName("tenant", "ada", [], "acme")], undefined);
  assert.equal((refused as { code?: string }).code, "subject-key-tampered");
  assert.notEqual(acme.subject, other.subject);
});

test("a key that is bound to another vault is none of this one's", async (t) => {
  const all = await cast(t);
  const { keys } = testKeys(t, { storage: all.storage, vault: randomUUID() });
  for (const who of Object.keys(REQUESTS)) {
    const [sealer] = await Promise.allSettled([keys.sealers([REQUESTS[who]!], undefined)]);
    assert.equal((sealer as PromiseRejectedResult).reason?.code, "subject-key-tampered", "the lookup key already");
    const error = await opened(keys, all.messages[who]!).catch((failure: unknown) => envelopeFailure(failure).code);
    assert.equal(error, "subject-key-tampered");
  }
});

test("the keys that find people are made once; where they are gone and people are there, nobody is made anew", async (t) => {
  const all = await cast(t);
  const lost = (rows: KeyRows): Partial<KeyRows> => ({
    active: async (names) =>
      (await rows.active(names)).map((read, index) => (names[index]!.kind === "lookup" ? { key: null } : read)),
  });
  const { keys, keyring } = testKeys(t, { storage: all.storage, rows: lost });
  await rejectsWith("key-store-behind", () => keys.sealers([REQUESTS["ada"]!], undefined));
  await rejectsWith("key-store-behind", () => keys.resolve([{ name: "ada" as Subject, tenant: "default" }], undefined));
  assert.equal(keyring.calls.encrypts, 0);
  const made = (await testKeys(t, { storage: all.storage }).store.keys.counts()) as Readonly<Record<string, number>>;
  assert.deepEqual([made["lookup"], made["names"]], [1, 1]);
});
