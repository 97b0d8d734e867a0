/**
 * Part of a store's contract: whom versions are about, the links from people to their records, and sealed ids.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { parseSubject, parseVersion } from "../records/address.ts";
import type { SubjectId, SubjectRow } from "../stores/subjects.ts";
import { MAX_SEALED_BYTES, MAX_UNIT_SUBJECTS } from "../stores/unit-people.ts";
import { applyOne, at, headsOf, live, make, newVersion, PEOPLE, rejects, remove, removed, turn } from "./changes.ts";
import { rewrapOf, write, writeAll } from "./changes.ts";
import type { WriteOptions } from "./changes.ts";
import type { Contract } from "./contract.ts";
import {
  aboutAll,
  mentioned,
  newPeople,
  newPerson,
  recordsOf,
  row,
  sealedFor,
  setState,
  writeAbout,
} from "./people.ts";

const inOrder = (rows: readonly SubjectRow[]): readonly SubjectRow[] => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

export function peopleOfRecordsContract(contract: Contract): void {
  contract("a version reads back with whom it is about, and with their rows", async ({ store, another }) => {
    const other = await another();
    const [ada, ben, cy] = newPeople(3) as [SubjectId, SubjectId, SubjectId];
    const nobody = { scheme: 2, subject: parseSubject("collection:people") } as const;
    await make(
      store,
      write(at("a"), null, 1, { subject: parseSubject(ada) }),
      write(at("a"), live(1), 2, aboutAll([ben, cy, ada])),
      write(at("a"), live(2), 3, nobody),
      writeAbout(cy, at("a"), live(3), 4, aboutAll([cy], { scope: "tenant", ordinal: 7 })),
    );
    await setState(store, ada, "restricted");
    const rows = [row(ada, "restricted", [0, 0]), row(ben, "active", [1, 0]), row(cy, "active", [0, 7])];
    const expected = [
      { scheme: 1, subject: ada, about: [], subjects: [] },
      { scheme: 2, subject: ben, about: [ada, cy], subjects: rows },
      { scheme: 2, subject: "collection:people", about: [], subjects: [] },
      { scheme: 2, subject: cy, about: [], subjects: [rows[2]] },
    ];
    for (const [index, { subjects: wanted, ...version }] of expected.entries()) {
      const { stored, subjects } = await other.records.read(at("a"), parseVersion(index + 1));
      assert.ok(stored !== null);
      const { scheme, subject, about } = stored;
      assert.deepEqual({ scheme, subject, about }, version);
      assert.deepEqual(inOrder(subjects), wanted);
    }
    const { versions } = await other.records.versions(at("a"), { before: null, limit: 9 });
    assert.deepEqual(
      versions.map(({ scheme, subject, about }) => ({ scheme, subject, about })).toReversed(),
      expected.map(({ subjects: _, ...version }) => version),
    );
    assert.deepEqual((await other.records.read(at("a"), null)).subjects, [rows[2]], "the newest");
  });

  contract("a rewrap leaves whom a version is about", async ({ store }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    await make(store, write(at("a"), null, 1, { ...aboutAll([ada, ben]), sealedId: Buffer.from("sealed") }));
    const before = await store.records.read(at("a"), null);
    assert.deepEqual(await store.inventory.rewrap(await rewrapOf(store, "a", 1)), { kind: "made" });
    const { stored, subjects } = await store.records.read(at("a"), null);
    assert.deepEqual([stored?.scheme, stored?.subject, stored?.about], [2, ada, [ben]]);
    assert.deepEqual(inOrder(subjects), inOrder(before.subjects));
    assert.deepEqual(await recordsOf(store, ben), ["people/a"]);
  });

  contract("a rewrap of a version about somebody who is closed is made", async ({ store }) => {
    const ada = newPerson();
    await make(store, writeAbout(ada, at("a"), null, 1));
    await setState(store, ada, "restricted");
    assert.deepEqual(await store.inventory.rewrap(await rewrapOf(store, "a", 1)), { kind: "made" });
  });

  contract("somebody's records are found, each once, until they are removed", async ({ store, another }) => {
    const other = await another();
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    await make(
      store,
      write(at("a"), null, 1, aboutAll([ada, ben])),
      writeAbout(ada, at("a"), live(1), 2),
      writeAbout(ada, at("b"), null, 1),
      writeAbout(ben, at("b"), live(1), 2),
      writeAbout(ada, at("søren 🔐", "pets"), null, 1),
      writeAbout(ben, at("a", "pets"), null, 1),
      write(at("c"), null, 1, { subject: parseSubject(ada) }),
    );
    const adas = ["people/a", "people/b", "pets/søren 🔐"];
    assert.deepEqual(await recordsOf(other, ada), adas, "also those that are about another by now");
    assert.deepEqual(await recordsOf(other, ben), ["people/a", "people/b", "pets/a"]);
    await make(store, remove(at("a"), live(2), 2));
    assert.deepEqual(await recordsOf(other, ada), adas.slice(1));
    await make(store, writeAbout(ben, at("a"), removed(2), 3));
    assert.deepEqual(await recordsOf(other, ada), adas.slice(1), "what is new is about whom it says");
    assert.deepEqual(await recordsOf(other, ben), ["people/a", "people/b", "pets/a"]);
  });

  contract("pages of every size have each of somebody's records once", async ({ store }) => {
    const [ada, ben] = newPeople(2) as [SubjectId, SubjectId];
    const ids = ["%", "A", "a", "a b", "b", "é", "日本", "\uffee", "\u{10000}"];
    for (const id of ids)
      for (const collection of ["people", "people-1"])
        await make(
          store,
          writeAbout(ada, at(id, collection), null, 1),
          writeAbout(ben, at(`${id}-`, collection), null, 1),
        );
    for (const limit of [1, 2, 7, 17, 18, 19]) {
      const found: string[] = [];
      for (let after: Uint8Array | null = null; ;) {
        const page = await store.subjects.records(ada, { after, limit });
        assert.ok(page.length <= limit && found.length <= 18);
        found.push(...page.map(({ collection, id }) => `${collection}/${id}`));
        const last = page.at(-1);
        if (last === undefined) break;
        after = last.position;
      }
      assert.equal(found.length, 18);
      assert.deepEqual(found.toSorted(), ids.flatMap((id) => [`people/${id}`, `people-1/${id}`]).sort(), `by ${limit}`);
    }
  });

  contract("a reader sees a version and the people it is about of one moment", async ({ store, another, rounds }) => {
    const other = await another();
    let isOver = false;
    const writer = async (): Promise<void> => {
      for (let number = 1; number <= 30 * rounds; number++) {
        const about = aboutAll(newPeople(2));
        await make(store, write(at("a"), number === 1 ? null : live(number - 1), number, about));
        await turn();
      }
    };
    const reader = async (own: typeof store): Promise<void> => {
      while (!isOver) {
        await turn();
        const { stored, subjects } = await own.records.read(at("a"), null);
        if (stored === null) continue;
        assert.deepEqual(
          inOrder(subjects).map(({ id }) => id),
          [stored.subject, ...stored.about].sort(),
        );
      }
    };
    await Promise.all([writer().finally(() => (isOver = true)), reader(store), reader(other), reader(other)]);
  });

  contract("a sealed id is kept at the head, until another is or the record goes", async ({ store, another }) => {
    const other = await another();
    const sealedOf = async (): Promise<readonly (string | null | undefined)[]> => {
      const list = await other.records.list(PEOPLE, { after: null, limit: 9 });
      return (list ?? []).map(({ sealedId }) => (sealedId === null ? null : Buffer.from(sealedId).toString("hex")));
    };
    const [given, second] = [randomBytes(MAX_SEALED_BYTES), Buffer.from([0, 255])];
    const kept = given.toString("hex");
    await make(store, write(at("a"), null, 1, { sealedId: given }), write(at("b"), null, 1));
    given.fill(0);
    assert.deepEqual(await sealedOf(), [kept, null]);
    (await store.records.list(PEOPLE, { after: null, limit: 1 }))?.[0]?.sealedId?.fill(0);
    assert.deepEqual(await sealedOf(), [kept, null]);
    assert.equal(await applyOne(store, write(at("a"), null, 2, { sealedId: second })), "conflict");
    await make(
      store,
      write(at("a"), live(1), 2, { sealedId: second }),
      write(at("b"), live(1), 2, { sealedId: second }),
    );
    assert.deepEqual(await sealedOf(), ["00ff", "00ff"]);
    await make(store, remove(at("a"), live(2), 2), write(at("a"), removed(2), 3), write(at("b"), live(2), 3));
    assert.deepEqual(await sealedOf(), [null, null]);
  });

  contract("somebody's records are told with the sealed ids of their heads", async ({ store, another }) => {
    const other = await another();
    const ada = newPerson();
    const sealedOf = async (): Promise<Readonly<Record<string, string | null>>> => {
      const found = await other.subjects.records(ada, { after: null, limit: 9 });
      return Object.fromEntries(
        found.map(({ id, sealedId }) => [id, sealedId === null ? null : Buffer.from(sealedId).toString("hex")]),
      );
    };
    const [longest, second] = [randomBytes(MAX_SEALED_BYTES), Buffer.from([0, 255])];
    await make(
      store,
      write(at("a"), null, 1, { ...aboutAll([ada]), sealedId: longest }),
      writeAbout(ada, at("b"), null, 1),
    );
    assert.deepEqual(await sealedOf(), { a: longest.toString("hex"), b: null });
    (await other.subjects.records(ada, { after: null, limit: 1 }))[0]?.sealedId?.fill(0);
    assert.deepEqual(await sealedOf(), { a: longest.toString("hex"), b: null });
    await make(store, write(at("a"), live(1), 2, { ...aboutAll([ada]), sealedId: second }));
    assert.deepEqual(await sealedOf(), { a: "00ff", b: null }, "of the head, which is newer");
  });

  contract("what a unit may not say of people is refused, and nothing is made", async ({ store }) => {
    const [ada, ben, cy] = newPeople(3) as [SubjectId, SubjectId, SubjectId];
    const { subjects, ...about } = aboutAll([ada, ben, cy]);
    const odd = (id: string): readonly SubjectId[] => [id as SubjectId];
    const many = newPeople(MAX_UNIT_SUBJECTS + 1);
    const refused: Readonly<Record<string, WriteOptions>> = {
      "people out of order": { ...about, subjects: subjects.toReversed() },
      "somebody twice": { ...about, subjects: [subjects[0]!, ...subjects] },
      "somebody whom it does not name": { ...about, subjects: subjects.slice(0, 2) },
      "a subject whom it does not name": { ...about, subjects: subjects.slice(1) },
      "too many people": { subjects: many.map(mentioned) },
      "a person without an id": { subjects: [mentioned(odd("x")[0]!)] },
      "an id in capitals": { subjects: [mentioned(ada.toUpperCase() as SubjectId)] },
      "a key without an ordinal": { ...about, ...aboutAll([ada], { ordinal: 0 }) },
      "half an ordinal": aboutAll([ada], { ordinal: 1.5 }),
      "an ordinal below 0": aboutAll([ada], { ordinal: -1 }),
      "an ordinal beyond all": aboutAll([ada], { ordinal: 2 ** 53 }),
      "an ordinal without a key": aboutAll([ada], { scope: "record", ordinal: 1 }),
      "a scope that there is not": aboutAll([ada], { scope: "vault" as "record" }),
      "further people out of order": { ...about, about: about.about.toReversed(), subjects },
      "a further person twice": { ...about, about: [ben, ben], subjects },
      "the subject as a further person": { ...about, about: [ada, ben], subjects },
      "a further person without an id": { ...about, about: odd("somebody"), subjects },
      "further people of scheme 1": { about: [ben], subjects },
      "a scheme that there is not": { ...about, scheme: 3 as 2, subjects },
      "a sealed id that is too long": { sealedId: Buffer.alloc(MAX_SEALED_BYTES + 1) },
    };
    for (const [what, more] of Object.entries(refused)) {
      const unit = write(at("a"), null, 1, more);
      await rejects("store-failed", () => store.records.apply([unit], { atomic: true })).catch((error: unknown) => {
        throw new assert.AssertionError({ message: `${what}: ${String(error)}` });
      });
    }
    const second = newVersion(2, { ...about, about: [ben] });
    const unit = writeAll(at("a"), null, [newVersion(1), second]);
    const unnamed = { ...unit, change: { ...unit.change, subjects: [sealedFor(ada)] } };
    await rejects("store-failed", () => store.records.apply([unnamed], { atomic: true }));
    assert.deepEqual(await headsOf(store, "a"), [null]);
    assert.deepEqual(await store.subjects.list({ after: null, limit: 9 }), []);
    const whole = many.slice(1);
    await make(store, write(at("a"), null, 1, aboutAll(whole)));
    assert.deepEqual(
      inOrder((await store.records.read(at("a"), null)).subjects).map(({ id }) => id),
      whole,
    );
  });
}
