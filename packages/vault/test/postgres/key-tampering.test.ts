/**
 * What a hand in the database does to keys and people, and what comes of it: it is told as damage or as absent, never
 * taken for what it was made to look like, and fails nothing else.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "@strongroom/vault";
import { AT, newPerson } from "./support/people.ts";
import { fileServer, newKeySchema, newSchema } from "./support/storage.ts";
import { person, put, writeUnit } from "./support/units.ts";

const { pool } = await fileServer();

/** What is done to the keys of one of two -> the column that is named. */
const DAMAGE: Readonly<Record<string, RegExp>> = {
  "update s.keys set wraps = '\\x01'": /keys\.wraps/,
  "update s.keys set wraps = wraps || '\\x00'": /keys\.wraps/,
  "update s.keys set wraps = '\\x01ffffffff00'": /keys\.wraps/,
  "update s.keys set key_check = substring(key_check from 2)": /keys\.key_check/,
  "update s.keys set key_check = key_check || '\\x00'": /keys\.key_check/,
  "update s.keys set version = '00000000-0000-0000-0000-000000000000'": /keys\.version/,
  "update s.keys set kind = 'master'": /keys\.kind/,
  "alter table s.keys drop constraint keys_ordinal_check; update s.keys set ordinal = -1": /keys\.ordinal/,
  "update s.keys set ordinal = 9007199254740992": /keys\.ordinal/,
  "update s.keys set generation = 9223372036854775807": /keys\.generation/,
  "update s.keys set created_at = 9223372036854775807": /keys\.created_at/,
  "update s.keys set revision = -1": /keys\.revision/,
};

for (const [sql, column] of Object.entries(DAMAGE))
  test(`a key whose row a hand has changed is damage, and others are not: ${sql}`, async (t) => {
    const { open, forge } = await newKeySchema(t, pool);
    const store = await open();
    const [ada, ben] = [newPerson(), newPerson()];
    await store.keys.create([ada, ben]);
    await forge(`${sql} where owner = (select key from s.owners where name = '${ada.key.owner}')`);
    const [damaged, whole] = await store.keys.active([ada.key, ben.key]);
    const isOtherKind = sql.includes("kind");
    if (isOtherKind) assert.deepEqual(damaged, { key: null });
    else assert.match(damaged?.damage ?? "", column);
    assert.equal(damaged?.key, null);
    assert.equal(whole?.key?.version, ben.key.version);
    const [item] = await store.inventory.list({
      sets: (await store.inventory.sets()).map(({ id }) => id),
      after: null,
      limit: 9,
    });
    assert.ok(item !== undefined);
    assert.equal((await store.keys.versions(ben.key)).length, 1);
    const read = await store.keys.version(ada.key.owner, ada.key.version);
    assert.equal(read.key, null);
  });

test("an erased person has nothing, also when old rows were put back", async (t) => {
  const { schema, open, forge } = await newKeySchema(t, pool);
  const store = await open();
  const ada = newPerson();
  await store.keys.create([ada]);
  await pool.query(`create table ${schema}_keys as table ${schema}.keys`);
  await pool.query(`create table ${schema}_names as table ${schema}.names`);
  await store.keys.erase([ada.name.id], AT);
  await forge(
    `insert into s.names select * from ${schema}_names`,
    `insert into s.keys overriding system value select * from ${schema}_keys`,
    `drop table ${schema}_keys, ${schema}_names`,
  );
  assert.deepEqual(await store.keys.active([ada.key]), [{ key: null }]);
  assert.deepEqual(await store.keys.version(ada.key.owner, ada.key.version), { key: null });
  assert.deepEqual(await store.keys.resolve([ada.name.tag]), [null]);
  assert.deepEqual(await store.keys.names([ada.name.id]), [null]);
  assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), []);
  assert.deepEqual(await store.keys.create([{ ...newPerson(), name: null, key: ada.key }]), [{ kind: "erased" }]);
  await store.keys.erase([ada.name.id], AT);
  assert.equal((await store.keys.counts()).subject, 0);
});

test("a name that is none is absent, and nobody's id is told for it", async (t) => {
  const { open, forge } = await newKeySchema(t, pool);
  const store = await open();
  const [ada, ben] = [newPerson(), newPerson()];
  await store.keys.create([ada, ben]);
  const owner = `(select key from s.owners where name = '${ada.name.id}')`;
  await forge(`update s.names set sealed = decode(repeat('00', 2000), 'hex') where owner = ${owner}`);
  assert.deepEqual(await store.keys.names([ada.name.id]), [null]);
  await forge(`update s.owners set name = 'somebody' where key = ${owner}`);
  assert.deepEqual(await store.keys.resolve([ada.name.tag, ben.name.tag]), [null, ben.name.id]);
  assert.deepEqual(await store.keys.people({ after: null, limit: 9 }), [ben.name.id]);
});

test("what a hand does to people's rows closes them, and opens nobody", async (t) => {
  const { open, forge } = await newSchema(t, pool);
  const store = await open();
  const [ada, ben] = [person(), person()];
  await put(store, "a", null, 1, { subjects: [ada, ben] });
  await put(store, "b", null, 1, { subjects: [ben] });
  const read = (id: string) => store.records.read(parseAddress({ collection: "people", id }), null);
  const write = async (id: string) =>
    (await store.records.apply([writeUnit(id, null, 1, { subjects: [ada] })], { atomic: true }))[0];
  await forge(
    "alter table s.subjects drop constraint subjects_state_check",
    `update s.subjects set state = 'on holiday', subject_ordinal = -5 where id = '${ada.id}'`,
  );
  const row = (await read("a")).subjects.find(({ id }) => id === ada.id);
  assert.deepEqual([row?.state, row?.ordinals.subject], ["restricted", Number.MAX_SAFE_INTEGER]);
  assert.deepEqual(await write("c"), { kind: "subject-closed", id: ada.id, state: "restricted" });
  await forge(`update s.subjects set state = 'active', subject_ordinal = 9007199254740993 where id = '${ada.id}'`);
  assert.deepEqual(await write("c"), { kind: "key-set-back", id: ada.id });
  await forge(`delete from s.subjects where id = '${ada.id}'`);
  assert.deepEqual(
    (await read("a")).subjects.map(({ id }) => id),
    [ben.id],
  );
  for (const [sql, column] of [
    ["update s.versions set about = 'eve'", "versions.about"],
    [`update s.versions set about = subject`, "versions.about"],
    [`update s.versions set about = repeat(about || ',', 100000)`, "versions.about"],
    ["update s.versions set about = null, scheme = 3", "versions.scheme"],
    [`update s.versions set about = '${ben.id}', scheme = 1`, "versions.about"],
  ] as const) {
    await forge(`${sql} where record = (select key from s.records where id = 'a')`);
    const { stored, damage } = await read("a");
    assert.deepEqual([stored, damage], [null, column], sql);
  }
  assert.equal((await read("b")).stored?.subject, ben.id);
  await forge("update s.heads set sealed_id = decode(repeat('00', 2000), 'hex')");
  const listed = await store.records.list(parseAddress({ collection: "people", id: "a" }).collection, {
    after: null,
    limit: 9,
  });
  assert.deepEqual(
    listed?.map(({ damage, sealedId }) => [damage?.includes("heads.sealed_id"), sealedId]),
    [
      [true, null],
      [true, null],
    ],
  );
});
