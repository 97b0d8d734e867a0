/**
 * Reads of keys and names, within the caller's snapshot. What holds what no vault writes is named as damage, and counts
 * for nothing where it has no name to be told by.
 */
import { sql } from "kysely";
import { wholeOr } from "../damage.ts";
import { KEY_KINDS } from "../key-store.ts";
import type { KeyKind, KeyName, KeyRead, KeyRow, KeyVersion, NameRow } from "../key-store.ts";
import { parseWraps } from "../key-wraps.ts";
import type { SubjectId } from "../subjects.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { MAX_SEALED_BYTES } from "../unit-people.ts";
import { whole } from "./columns.ts";
import { digestBytes, kindOf, kindValue, OWNER_NAME, ownerOf, ownerValue, wrapBytes } from "./key-columns.ts";
import { idBytes, idDigits, idOf } from "./ids.ts";
import { ONE, statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { FORM_COLUMNS, wrapSetOf } from "./wrap-set-rows.ts";

interface TagValue {
  readonly tag: Uint8Array;
}

const BY_TAG = statement((db, { tag }: TagValue) =>
  db
    .selectFrom("names")
    .innerJoin("owners", "owners.owner", "names.owner")
    .where("names.tag", "=", tag)
    .where("owners.erased_at", "is", null)
    .select(idDigits("owners.name").as("id"))
    .compile(),
);

/** Whose name has a tag; null: nobody's. */
export const personByTag = (connection: Connection, tag: Uint8Array): SubjectId | null =>
  idOf(connection.first(BY_TAG, { tag })?.id ?? null);

interface OwnerValue {
  readonly owner: Uint8Array | string;
}

const NAME = statement((db, { owner }: OwnerValue) =>
  db
    .selectFrom("owners")
    .innerJoin("names", "names.owner", "owners.owner")
    .where("owners.name", "=", owner)
    .select([
      digestBytes("names.tag").as("tag"),
      sql<Uint8Array | null>`iif(octet_length(names.sealed) between 1 and ${sql.lit(MAX_SEALED_BYTES)},
        names.sealed, null)`.as("sealed"),
    ])
    .compile(),
);

/** Null when there is none, or none that is sound. */
export function nameOf(connection: Connection, id: SubjectId): NameRow | null {
  const found = connection.first(NAME, { owner: idBytes(id) });
  if (found === undefined || found.tag === null || found.sealed === null) return null;
  return { id, tag: found.tag, sealed: found.sealed };
}

/** What is read of a key. */
const KEY_COLUMNS = [
  whole("keys.kind", 0).as("kind"),
  whole("keys.ordinal").as("ordinal"),
  idDigits("keys.version").as("version"),
  whole("keys.generation", 0).as("generation"),
  whole("keys.created_at", 0).as("created_at"),
  digestBytes("keys.key_check").as("key_check"),
  whole("keys.revision", 0).as("revision"),
  whole("keys.wrap_set", 0).as("wrap_set"),
  wrapBytes.as("wraps"),
] as const;

interface KeyColumns {
  readonly kind: number | null;
  readonly ordinal: number | null;
  readonly version: string | null;
  readonly generation: number | null;
  readonly created_at: number | null;
  readonly key_check: Uint8Array | null;
  readonly revision: number | null;
  readonly wrap_set: number | null;
  readonly wraps: Uint8Array | null;
  readonly digest: string | null;
  readonly form: string | null;
}

/** The last moment that `toISOString` writes with four digits. */
const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function keyOf(owner: string, row: KeyColumns): KeyRead {
  const columns = wholeOr<WholeKey>("keys", {
    kind: kindOf(row.kind),
    ordinal: row.ordinal,
    version: idOf(row.version),
    generation: row.generation,
    created_at: row.created_at === null || row.created_at > LAST_MOMENT ? null : row.created_at,
    key_check: row.key_check,
    revision: row.revision,
    wrap_set: row.wrap_set,
    wraps: row.wraps === null ? null : parseWraps(row.wraps),
  });
  if (typeof columns === "string") return { key: null, damage: columns };
  const { kind, ordinal, version, generation, created_at: createdAt, key_check: check, wraps } = columns;
  const key: KeyRow = {
    kind,
    owner,
    version: version as KeyVersion,
    ordinal,
    generation,
    createdAt: new Date(createdAt).toISOString(),
    check,
    wraps,
    stamp: { wrapSet: columns.wrap_set as WrapSetId, revision: columns.revision },
    wrapSet: wrapSetOf(row),
  };
  return { key };
}

interface WholeKey {
  readonly kind: KeyKind;
  readonly ordinal: number;
  readonly version: string;
  readonly generation: number;
  readonly created_at: number;
  readonly key_check: Uint8Array;
  readonly revision: number;
  readonly wrap_set: number;
  readonly wraps: KeyRow["wraps"];
}

const NOTHING: KeyRead = { key: null };

/** Keys of an owner who was not erased. */
const keysOf = (db: Parameters<Parameters<typeof statement>[0]>[0], owner: Uint8Array | string) =>
  db
    .selectFrom("owners")
    .innerJoin("keys", "keys.owner", "owners.owner")
    .leftJoin("wrap_sets", "wrap_sets.id", "keys.wrap_set")
    .where("owners.name", "=", owner)
    .where("owners.erased_at", "is", null)
    .select(KEY_COLUMNS)
    .select(FORM_COLUMNS);

type KindValue = OwnerValue & { readonly kind: number };

const newestFirst = (db: Parameters<Parameters<typeof statement>[0]>[0], { owner, kind }: KindValue) =>
  keysOf(db, owner).where("keys.kind", "=", kind).orderBy("keys.ordinal", "desc");

const ACTIVE = statement((db, values: KindValue) => newestFirst(db, values).limit(ONE).compile());

export function activeKey(connection: Connection, { kind, owner }: KeyName): KeyRead {
  const found = connection.first(ACTIVE, { owner: ownerValue(owner), kind: kindValue(kind) });
  return found === undefined ? NOTHING : keyOf(owner, found);
}

/** Most versions of a key that are read. */
const MOST_VERSIONS = 1000;

const VERSIONS = statement((db, values: KindValue) => newestFirst(db, values).limit(sql.lit(MOST_VERSIONS)).compile());

export function keyVersions(connection: Connection, { kind, owner }: KeyName): readonly KeyRead[] {
  return connection.all(VERSIONS, { owner: ownerValue(owner), kind: kindValue(kind) }).map((row) => keyOf(owner, row));
}

const VERSION = statement((db, { owner, version }: OwnerValue & { readonly version: Uint8Array }) =>
  keysOf(db, owner).where("keys.version", "=", version).limit(ONE).compile(),
);

export function keyVersion(connection: Connection, owner: string, version: KeyVersion): KeyRead {
  const found = connection.first(VERSION, { owner: ownerValue(owner), version: idBytes(version) });
  return found === undefined ? NOTHING : keyOf(owner, found);
}

const OF_VERSION = statement((db, { version }: { readonly version: Uint8Array }) =>
  db
    .selectFrom("keys")
    .innerJoin("owners", "owners.owner", "keys.owner")
    .where("keys.version", "=", version)
    .select([whole("keys.kind", 0).as("kind"), OWNER_NAME.as("name")])
    .limit(ONE)
    .compile(),
);

/** Whose key a version is of; null: there is none, or none that is sound. */
export function ownerOfVersion(connection: Connection, version: KeyVersion): KeyName | null {
  const found = connection.first(OF_VERSION, { version: idBytes(version) });
  if (found === undefined) return null;
  const [kind, owner] = [kindOf(found.kind), ownerOf(found.name)];
  return kind === null || owner === null ? null : { kind, owner };
}

const ERASED = statement((db, { owner }: OwnerValue) =>
  db
    .selectFrom("owners")
    .where("name", "=", owner)
    .where("erased_at", "is not", null)
    .select(sql`1`.as("found"))
    .compile(),
);

export const isErased = (connection: Connection, id: SubjectId): boolean =>
  connection.first(ERASED, { owner: idBytes(id) }) !== undefined;

const OF_PEOPLE: readonly KeyKind[] = ["subject", "tenant-subject"];

const PEOPLE = statement((db, { after, limit }: { readonly after: Uint8Array; readonly limit: number }) =>
  db
    .selectFrom("owners")
    .where("name", ">", after)
    .where((eb) =>
      eb.or([
        eb.exists(eb.selectFrom("names").select("tag").whereRef("names.owner", "=", "owners.owner")),
        eb.exists(
          eb
            .selectFrom("keys")
            .select("key")
            .whereRef("keys.owner", "=", "owners.owner")
            .where(sql<boolean>`keys.kind in (${sql.join(OF_PEOPLE.map((kind) => sql.lit(kindValue(kind))))})`),
        ),
      ]),
    )
    .select(OWNER_NAME.as("owner_name"))
    .orderBy("owners.name")
    .limit(limit)
    .compile(),
);

/** Those whose id is none are nobody, and left out; the page goes on behind them. */
export function people(
  connection: Connection,
  { after, limit }: { readonly after: SubjectId | null; readonly limit: number },
): readonly SubjectId[] {
  return connection
    .all(PEOPLE, { after: after === null ? new Uint8Array() : idBytes(after), limit })
    .flatMap(({ owner_name: name }) => (ownerOf(name) ?? []) as SubjectId | []);
}

const COUNTS = statement((db, _values: object) =>
  db
    .selectFrom("keys")
    .select(["kind", sql<number>`count(*)`.as("versions")])
    .where(sql<boolean>`kind between 0 and ${sql.lit(KEY_KINDS.length - 1)}`)
    .groupBy("kind")
    .compile(),
);

export function countKeys(connection: Connection): Readonly<Record<KeyKind, number>> {
  const counts = Object.fromEntries(KEY_KINDS.map((kind) => [kind, 0])) as Record<KeyKind, number>;
  for (const { kind, versions } of connection.all(COUNTS, {})) {
    const name = kindOf(kind);
    if (name !== null) counts[name] = versions;
  }
  return counts;
}
