// Some of the people of a sample are erased, 50 of the 537 where it is at hand. Whoever has every copy of both stores and every right in the KMS opens
// exactly what the certificates say, at each stage, and learns of the fields of the erased no more than by guessing: but
// of copies that have tags the fields that the certificates list, which is shown here for what it is.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openVault, verifyCertificate } from "@strongroom/vault";
import type { FieldOptions } from "@strongroom/vault";
import { date, email, exact, foldedName } from "@strongroom/vault/normalisers";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { withoutTags } from "../../packages/cli/src/backup/without-tags.ts";
import { describeBy } from "../../packages/cli/src/retire/describe-key.ts";
import { eraseAll } from "../../packages/vault/test/erasure/support/erasing.ts";
import { QUICK_RUN, untilRun } from "../../packages/vault/test/support/converging.ts";
import { temporaryFolder } from "../../packages/vault/test/support/storage.ts";
import { defer } from "../support/defer.ts";
import { copyOf, openKeys, openMessages } from "../support/shredding/attacker.ts";
import { ownKms, pass, regionOf } from "../support/shredding/own-kms.ts";
import { bestGuess, tagsIn, toldByTags } from "../support/shredding/tag-attacker.ts";
import type { Shown } from "../support/shredding/tag-attacker.ts";
import { EXAMPLE_PEOPLE, PUBLIC_SAMPLE, readPeople } from "./people.ts";

const leaks = "accepted";
const named = { find: foldedName(), values: 300, leaks } as const;
const few = { find: exact(), values: 60, leaks } as const;
const FIELDS: Readonly<Record<"sample" | "example", Readonly<Record<string, FieldOptions>>>> = {
  sample: {
    email: { find: email(), unique: true },
    ...{ name: { ...named, values: 600 }, given_name: named, birthdate: { find: date() } },
    ...{ gender: few, party: few, state: few },
  },
  example: {
    email: { find: email(), unique: true },
    ...{ name: named, born: { find: date() }, language: few },
  },
};
/** Told by tags where there are some, whichever sample it is. */
const TOLD = { sample: ["gender", "given_name", "party", "state"], example: ["language"] } as const;

const source = PUBLIC_SAMPLE === null ? "example" : "sample";
const SCOPES = ["subject", "tenant"] as const;
const ERASED_SHARE = { sample: 50 / 537, example: 1 / 2 }[source];

for (const scope of SCOPES)
  test(`of people of a sample who were erased nothing opens, and tags tell what is listed: ${scope} scope`, async (t) => {
    const people = readPeople(PUBLIC_SAMPLE ?? EXAMPLE_PEOPLE);
    const folder = await temporaryFolder(t);
    const { clock, roots, newKeys } = await ownKms(t, join(folder, "kms"));
    const [recordKeys, one, two] = [await newKeys(), await newKeys(), await newKeys()];
    const [records, keys] = [join(folder, "records.sqlite"), join(folder, "keys.sqlite")];
    const vault = await openVault({
      ...{ store: await sqliteStore(records), ...recordKeys, repair: QUICK_RUN },
      collections: { people: { fields: FIELDS[source] } },
      keys: { store: await sqliteKeyStore(keys), scope, ...one, next: { ...two, generation: 2 } },
      audit: { log: await sqliteAuditLog(join(folder, "audit.sqlite")) },
    });
    defer(t, () => vault.close());
    const erasure = vault.erasure!;
    const items = people.map((document) => ({
      id: document.id,
      document: { ...document } as never,
      subject: document.id,
    }));
    for (let from = 0; from < items.length; from += 100)
      await vault.putMany("people", items.slice(from, from + 100), { onExisting: "compare" });

    // A disk that was copied, and a backup, which has no tags.
    const oldDisk = copyOf(records, join(folder, "old-disk.sqlite"));
    const oldBackup = copyOf(records, join(folder, "old-backup.sqlite"));
    withoutTags(oldBackup);
    const oldKeys = copyOf(keys, join(folder, "old-keys.sqlite"));

    // Not those that come first: whose values are rare and whose are not goes by chance.
    const gone = people.filter((_, n) => Math.floor((n + 1) * ERASED_SHARE) > Math.floor(n * ERASED_SHARE));
    const goneIds = new Set(gone.map(({ id }) => id));
    const living = people.filter(({ id }) => !goneIds.has(id));
    const persons = await eraseAll(
      erasure,
      gone.map(({ id }) => id),
    );
    await vault.convergence.apply({ keepOld: true });
    await untilRun(vault, "hold");
    await vault.convergence.apply({});
    await untilRun(vault, "done");
    // The key of the tags goes by a procedure of its own.
    await vault.indexes.rotateKey();

    const [disk, keysNow] = [
      copyOf(records, join(folder, "disk.sqlite")),
      copyOf(keys, join(folder, "keys-now.sqlite")),
    ];
    const vaultId = (await erasure.certificateKey()).split("/")[1]!;
    const opened = async (copies: readonly string[], keyCopies: readonly string[]): Promise<Map<string, Shown>> => {
      const texts = await openMessages(copies, await openKeys(keyCopies, { vault: vaultId, kms: roots }));
      return new Map(texts.map((text) => JSON.parse(text) as Shown).map((shown) => [shown["id"] as string, shown]));
    };
    const sortedIds = (all: Iterable<string>): readonly string[] => [...all].sort();
    const everybody = sortedIds(people.map(({ id }) => id));
    const alive = sortedIds(living.map(({ id }) => id));
    const combinations = async (): Promise<Record<string, readonly string[]>> => ({
      "old disk, old keys": sortedIds((await opened([oldDisk], [oldKeys])).keys()),
      "old backup, old keys": sortedIds((await opened([oldBackup], [oldKeys])).keys()),
      "old backup, present keys": sortedIds((await opened([oldBackup], [keysNow])).keys()),
      "present records, old keys": sortedIds((await opened([disk], [oldKeys])).keys()),
      "all together": sortedIds((await opened([oldDisk, oldBackup, disk], [oldKeys, keysNow])).keys()),
    });
    const describe = describeBy((key) => Promise.resolve({ client: roots.get(regionOf(key))!, isAws: true }));

    // Before the second stage: what the vault says can be recovered is what an attacker recovers.
    const before = await erasure.secondStage(persons[0]!, describe);
    assert.equal(before.certificate, null);
    assert.deepEqual(
      before.recoverable.map(({ what, of }) => [what, of]),
      [
        ["name", []],
        ["messages", ["people"]],
      ],
    );
    assert.deepEqual(await combinations(), {
      ...{ "old disk, old keys": everybody, "old backup, old keys": everybody, "old backup, present keys": alive },
      ...{ "present records, old keys": alive, "all together": everybody },
    });

    for (const KeyId of one.keySet)
      await roots.get(regionOf(KeyId))!.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    await pass(clock, roots, 8);
    assert.deepEqual(await combinations(), {
      ...{ "old disk, old keys": [], "old backup, old keys": [], "old backup, present keys": alive },
      ...{ "present records, old keys": [], "all together": alive },
    });

    const listed = new Set<string>();
    for (const person of persons) {
      const { certificate, key, recoverable } = await erasure.secondStage(person, describe);
      assert.deepEqual(recoverable, []);
      const { facts } = verifyCertificate(certificate ?? "", key);
      assert.deepEqual([facts.stage, facts.person], [2, person]);
      const tags = facts.remains.find(({ what }) => what === "tags-in-copies");
      assert.equal(tags?.diesWith, "never");
      for (const index of tags.of) listed.add(index);
    }
    assert.deepEqual(
      [...listed].sort(),
      Object.keys(FIELDS[source])
        .map((field) => `people.${field}`)
        .sort(),
    );

    // Equal tags. The living are known, each with every field.
    const known = await opened([disk], [keysNow]);
    assert.equal(known.size, living.length);
    const valueOf = (index: string, document: Shown): unknown => document[index];
    const rightOf = (copies: readonly string[]): Readonly<Record<string, { byTags: number; byGuess: number }>> => {
      const told = toldByTags(copies, known, valueOf);
      return Object.fromEntries(
        Object.keys(FIELDS[source]).map((field) => {
          const guess = bestGuess([...known.values()].map((document) => document[field]));
          const right = (told: ReadonlyMap<string, unknown> | undefined): number =>
            gone.filter(({ id, [field]: truth }) => (told?.has(id) === true ? told.get(id) : guess) === truth).length;
          return [field, { byTags: right(told.get(field)), byGuess: right(undefined) }];
        }),
      );
    };
    const withBackups = rightOf([oldBackup, disk]);
    for (const [field, { byTags, byGuess }] of Object.entries(withBackups))
      assert.equal(byTags, byGuess, `${field}: no better than guessing`);
    assert.deepEqual(
      tagsIn(disk).filter(({ id }) => goneIds.has(id)),
      [],
      "no tag of the erased is left",
    );
    assert.deepEqual(tagsIn(oldBackup), []);

    const withDisk = rightOf([oldDisk, oldBackup, disk]);
    const better = Object.keys(withDisk).filter((field) => withDisk[field]!.byTags > withDisk[field]!.byGuess);
    for (const field of TOLD[source]) assert.ok(better.includes(field), `${field} is told by a copy with tags`);
    for (const field of better) assert.ok(listed.has(`people.${field}`), `${field} is on the certificate`);
    const past = new Set(tagsIn(oldDisk).map(({ tag }) => tag));
    assert.deepEqual(
      tagsIn(disk).filter(({ tag }) => past.has(tag)),
      [],
      "the living have other tags since",
    );
    for (const document of living)
      assert.deepEqual((await vault.get({ collection: "people", id: document.id })).document, document);
    const share = (count: number): string => `${Math.round((100 * count) / gone.length)} %`;
    t.diagnostic(
      `${gone.length} of ${people.length} erased; right by tags of an old disk, and by guessing: ` +
        Object.entries(withDisk)
          .map(([field, { byTags, byGuess }]) => `${field} ${share(byTags)} and ${share(byGuess)}`)
          .join(", "),
    );
  });
