/**
 * Keys and names, within the writer's transaction: made where they are not, destroyed, and put into other wraps.
 */
import { sql } from "kysely";
import type { Epoch } from "../gate.ts";
import type { RewrapResult } from "../inventory.ts";
import type { CreationResult, KeyDrop, KeyPlace, NameRetag, NameRow } from "../key-store.ts";
import type { SubjectId } from "../subjects.ts";
import { rowNumber, whole } from "./columns.ts";
import { readGate } from "./gate-row.ts";
import { idBytes } from "./ids.ts";
import { kindValue, ownerValue } from "./key-columns.ts";
import type { TakenCreation, TakenKey, TakenKeyRewrap } from "./keys-taken.ts";
import { personByTag } from "./read-keys.ts";
import { ONE, statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { changed } from "./undone.ts";
import type { Undone } from "./undone.ts";
import { rewrapItem } from "./write-inventory.ts";
import type { FoundItem } from "./write-inventory.ts";
import { internWrapSet } from "./wrap-set-rows.ts";

/** Makes each for itself: what is not made has changed nothing. */
export function createAll(
  connection: Connection,
  creations: readonly TakenCreation[],
): readonly CreationResult[] | Undone<readonly CreationResult[]> {
  const { epoch } = readGate(connection);
  const results = creations.map((creation) => createOne(connection, creation, epoch));
  return changed(
    results,
    results.some(({ kind }) => kind === "made"),
  );
}

function createOne(connection: Connection, { epoch, name, key }: TakenCreation, current: Epoch): CreationResult {
  if (key !== null && epoch !== current) return { kind: "gate-moved", epoch: current };
  const owner = key?.owner ?? name?.id ?? "";
  const found = connection.first(OWNER, { name: ownerValue(owner) });
  if (found !== undefined && found.erased_at !== null) return { kind: "erased" };
  // Everything is asked before anything is made.
  const holder = name === null ? null : nameHolder(connection, name, found?.owner ?? null);
  if (holder !== null) return { kind: "exists", id: holder };
  if (key !== null && found !== undefined && hasKey(connection, BigInt(found.owner), key))
    return { kind: "exists", id: null };
  const number = BigInt(found?.owner ?? connection.one(ADD_OWNER, { name: ownerValue(owner) }).owner);
  if (name !== null) connection.run(SET_NAME, { owner: number, tag: name.tag, sealed: name.sealed });
  if (key !== null) addKey(connection, number, key);
  return { kind: "made" };
}

interface OwnerName {
  readonly name: Uint8Array | string;
}
interface OwnerNumber {
  readonly owner: bigint;
}

const OWNER = statement((db, { name }: OwnerName) =>
  db
    .selectFrom("owners")
    .where("name", "=", name)
    .select([rowNumber("owner").as("owner"), "erased_at"])
    .compile(),
);

const ADD_OWNER = statement((db, { name }: OwnerName) =>
  db.insertInto("owners").values({ name }).returning(rowNumber("owner").as("owner")).compile(),
);

const HAS_NAME = statement((db, { owner }: OwnerNumber) =>
  db.selectFrom("names").where("owner", "=", owner).select("owner").compile(),
);

/** Whose the name is, or who has a name already; null: it is free. A tag of nobody is, and is given anew. */
function nameHolder(connection: Connection, { id, tag }: NameRow, owner: string | null): SubjectId | null {
  const holder = personByTag(connection, tag);
  if (holder !== null) return holder;
  return owner !== null && connection.first(HAS_NAME, { owner: BigInt(owner) }) !== undefined ? id : null;
}

const SET_NAME = statement((db, { owner, tag, sealed }: OwnerNumber & Pick<NameRow, "tag" | "sealed">) =>
  db.replaceInto("names").values({ owner, tag, sealed }).compile(),
);

type KindOfOwner = OwnerNumber & { readonly kind: number; readonly ordinal: number };

type SameKey = KindOfOwner & { readonly version: Uint8Array };

const HAS_KEY = statement((db, { owner, kind, ordinal, version }: SameKey) =>
  db
    .selectFrom("keys")
    .where("owner", "=", owner)
    .where(sql<boolean>`((kind = ${kind} and ordinal = ${ordinal}) or version = ${version})`)
    .select("key")
    .limit(ONE)
    .compile(),
);

const hasKey = (connection: Connection, owner: bigint, { kind, ordinal, version }: TakenKey): boolean =>
  connection.first(HAS_KEY, { owner, kind: kindValue(kind), ordinal, version: idBytes(version) }) !== undefined;

interface NewKeyRow extends KindOfOwner {
  readonly version: Uint8Array;
  readonly generation: number;
  readonly createdAt: number;
  readonly check: Uint8Array;
  readonly wrapSet: number;
  readonly bucket: number;
  readonly wraps: Uint8Array;
}

const ADD_KEY = statement((db, row: NewKeyRow) =>
  db
    .insertInto("keys")
    .values({
      owner: row.owner,
      kind: row.kind,
      ordinal: row.ordinal,
      version: row.version,
      generation: row.generation,
      created_at: row.createdAt,
      key_check: row.check,
      revision: 0,
      wrap_set: row.wrapSet,
      bucket: row.bucket,
      since: row.createdAt,
      wraps: row.wraps,
    })
    .compile(),
);

function addKey(connection: Connection, owner: bigint, key: TakenKey): void {
  connection.run(ADD_KEY, {
    owner,
    kind: kindValue(key.kind),
    ordinal: key.ordinal,
    version: idBytes(key.version),
    generation: key.generation,
    createdAt: key.createdAt,
    check: key.check,
    wrapSet: internWrapSet(connection, key.wrapSet),
    bucket: key.bucket,
    wraps: key.wraps,
  });
}

const DROP_FAILURES = statement((db, { owner }: OwnerNumber) =>
  db
    .deleteFrom("failures")
    .where("version_key", "in", db.selectFrom("keys").select("key").where("owner", "=", owner))
    .compile(),
);
const DROP_KEYS = statement((db, { owner }: OwnerNumber) => db.deleteFrom("keys").where("owner", "=", owner).compile());
const DROP_NAME = statement((db, { owner }: OwnerNumber) =>
  db.deleteFrom("names").where("owner", "=", owner).compile(),
);
const SET_ERASED = statement((db, { owner, at }: OwnerNumber & { readonly at: string }) =>
  db.updateTable("owners").set({ erased_at: at }).where("owner", "=", owner).where("erased_at", "is", null).compile(),
);

/** `secure_delete` overwrites what is deleted. */
export function eraseOwners(
  connection: Connection,
  { ids, at }: { readonly ids: readonly SubjectId[]; readonly at: string },
): void {
  for (const id of ids) {
    const name = idBytes(id);
    const owner = BigInt((connection.first(OWNER, { name }) ?? connection.one(ADD_OWNER, { name })).owner);
    connection.run(DROP_FAILURES, { owner });
    connection.run(DROP_KEYS, { owner });
    connection.run(DROP_NAME, { owner });
    connection.run(SET_ERASED, { owner, at });
  }
}

const DROP_KEY = statement((db, { key }: { readonly key: bigint }) =>
  db.deleteFrom("keys").where("key", "=", key).compile(),
);

/** One version of a key that nothing hangs on. */
export function dropKey(connection: Connection, { place, seen, epoch }: KeyDrop): RewrapResult | Undone<RewrapResult> {
  return rewrapItem(
    connection,
    { seen, epoch, lease: null },
    () => keyItem(connection, place),
    (key) => {
      connection.run(DROP_KEY, { key });
    },
  );
}

const SET_TAG = statement((db, { owner, tag, seen }: OwnerNumber & Pick<NameRetag, "tag" | "seen">) =>
  db
    .updateTable("names")
    .set({ tag })
    .where("owner", "=", owner)
    .where("tag", "=", seen)
    .returning(rowNumber("owner").as("owner"))
    .compile(),
);

/** The name of somebody under another hash, if nobody has that. */
export function retagName(
  connection: Connection,
  { id, seen, tag, epoch }: NameRetag,
): RewrapResult | Undone<RewrapResult> {
  const gate = readGate(connection);
  if (epoch !== gate.epoch) return changed({ kind: "gate-moved", epoch: gate.epoch }, false);
  const found = connection.first(OWNER, { name: idBytes(id) });
  const isFree = found?.erased_at === null && personByTag(connection, tag) === null;
  const set = isFree ? connection.first(SET_TAG, { owner: BigInt(found.owner), tag, seen }) : undefined;
  return set === undefined ? changed({ kind: "overtaken" }, false) : { kind: "made" };
}

interface ItemValue {
  readonly name: Uint8Array | string;
  readonly kind: number;
  readonly version: Uint8Array;
}

const ITEM = statement((db, { name, kind, version }: ItemValue) =>
  db
    .selectFrom("owners")
    .innerJoin("keys", "keys.owner", "owners.owner")
    .where("owners.name", "=", name)
    .where("keys.kind", "=", kind)
    .where("keys.version", "=", version)
    .select([
      rowNumber("keys.key").as("key"),
      whole("keys.wrap_set", 0).as("wrapSet"),
      whole("keys.revision", 0).as("revision"),
    ])
    .limit(ONE)
    .compile(),
);

/** A key's row as a repair finds it; undefined when it is gone. */
export function keyItem(connection: Connection, { kind, owner, version }: KeyPlace): FoundItem | undefined {
  return connection.first(ITEM, { name: ownerValue(owner), kind: kindValue(kind), version: idBytes(version) });
}

interface KeyNumber {
  readonly key: bigint;
}

const SET_ACCOUNT = statement((db, row: KeyNumber & { readonly wrapSet: number; readonly since: number }) =>
  db.updateTable("keys").set({ wrap_set: row.wrapSet, since: row.since }).where("key", "=", row.key).compile(),
);
const SET_WRAPS = statement((db, row: KeyNumber & { readonly wraps: Uint8Array; readonly revision: number }) =>
  db.updateTable("keys").set({ wraps: row.wraps, revision: row.revision }).where("key", "=", row.key).compile(),
);
const SET_MOVED = statement((db, row: KeyNumber & { readonly generation: number; readonly check: Uint8Array }) =>
  db.updateTable("keys").set({ generation: row.generation, key_check: row.check }).where("key", "=", row.key).compile(),
);

interface Numbered extends KeyNumber {
  readonly kind: number;
  readonly ordinal: number;
}

const SET_KIND = statement((db, row: Numbered & { readonly bucket: number }) =>
  db
    .updateTable("keys")
    .set({ kind: row.kind, ordinal: row.ordinal, bucket: row.bucket })
    .where("key", "=", row.key)
    .compile(),
);

/** Whether the owner of a key has another one of that kind and ordinal. */
const HAS_ANOTHER = statement((db, { key, kind, ordinal }: Numbered) =>
  db
    .selectFrom("keys")
    .where("owner", "=", db.selectFrom("keys as own").where("own.key", "=", key).select("own.owner"))
    .where("kind", "=", kind)
    .where("ordinal", "=", ordinal)
    .where("key", "!=", key)
    .select("ordinal")
    .compile(),
);

/** Other wraps in the place of those that were read, or another account of them. */
export function rewrapKey(connection: Connection, change: TakenKeyRewrap): RewrapResult | Undone<RewrapResult> {
  const { place, seen, wraps, moved, bucket, wrapSet, since } = change;
  const as = moved?.as === undefined ? null : { kind: kindValue(moved.as.kind), ordinal: moved.as.ordinal };
  return rewrapItem(
    connection,
    change,
    () => {
      const found = keyItem(connection, place);
      const isTaken =
        found !== undefined &&
        as !== null &&
        connection.first(HAS_ANOTHER, { key: BigInt(found.key), ...as }) !== undefined;
      return isTaken ? undefined : found;
    },
    (key) => {
      connection.run(SET_ACCOUNT, { key, wrapSet: internWrapSet(connection, wrapSet), since });
      if (wraps !== null) connection.run(SET_WRAPS, { key, wraps, revision: seen.revision + 1 });
      if (moved !== null) connection.run(SET_MOVED, { key, ...moved });
      if (as !== null) connection.run(SET_KIND, { key, ...as, bucket });
    },
  );
}
