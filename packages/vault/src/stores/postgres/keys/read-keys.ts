/**
 * Keys and names as they lie in the database. Nothing of it is trusted: what no vault writes is told as damage. A
 * person with a tombstone has nothing here, also where a hand has put old rows back.
 */
import { takeVersions } from "../../key-limits.ts";
import { KEY_KINDS } from "../../key-store.ts";
import type { KeyKind, KeyName, KeyRead, KeyRow, KeyRows, KeyVersion, NameRow } from "../../key-store.ts";
import { parseWraps } from "../../key-wraps.ts";
import { wholeOr } from "../../damage.ts";
import { isSubjectId } from "../../subjects.ts";
import { MAX_SEALED_BYTES } from "../../unit-people.ts";
import { parseWrapSet } from "../../wrap-set.ts";
import type { WrapSetId } from "../../wrap-set.ts";
import { bytes, isTrue, moment, text, whole } from "../columns.ts";
import type { Columns } from "../columns.ts";
import { statement } from "../connection.ts";
import type { Connections } from "../connection.ts";
import { LONGEST_FORM } from "../inventory.ts";
import { refusalColumn, requireAccepted } from "../refusals.ts";
import type { SchemaName } from "../schema-name.ts";
import { SUBJECT_ID } from "../subject-rows.ts";
import { asBuffer } from "../sent-bytes.ts";

/** The calls that change nothing. */
export type KeyReads = Omit<KeyRows, "create" | "erase" | "drop" | "retag">;

const DIGEST_BYTES = 32;
const MOST_VERSIONS = 1000;
/** Wraps that are longer are none that a vault writes. */
const LONGEST_WRAPS = 1_000_000;

const KEY_COLUMNS = `k.key is not null as there, o.name as owner, k.kind, k.version, k.ordinal, k.generation,
  k.created_at, encode(substring(k.key_check from 1 for ${DIGEST_BYTES + 1}), 'hex') as key_check,
  case when octet_length(k.wraps) <= ${LONGEST_WRAPS} then encode(k.wraps, 'hex') end as wraps, k.wrap_set, k.revision,
  case when length(w.form) <= ${LONGEST_FORM} then w.form end as form`;

/** @param vault the id that the database must have */
export function keyReads(connections: Connections, schema: SchemaName, vault: string): KeyReads {
  const refusal = refusalColumn("$1::text");
  const owner = (name: string): string => `
    left join lateral (
      select o.key, o.name from ${schema}.owners o where o.name = ${name} and o.erased_at is null limit 1) o on true`;
  const keys = (where: string): string => `
    left join lateral (select * from ${schema}.keys k where k.owner = o.key and ${where}) k on true
    left join lateral (select w.form from ${schema}.wrap_sets w where w.id = k.wrap_set limit 1) w on true`;
  const active = statement(`
    select ${refusal}, ${KEY_COLUMNS}
    from ${schema}.vault g cross join unnest($2::text[], $3::text[]) with ordinality u(kind, owner, n)
    ${owner("u.owner")}
    ${keys("k.kind = u.kind order by k.ordinal desc limit 1")}
    order by u.n`);
  const version = statement(`
    select ${refusal}, ${KEY_COLUMNS}
    from ${schema}.vault g ${owner("$2::text")} ${keys("k.version = $3::uuid limit 1")}`);
  const owners = statement(`
    select ${refusal}, k.kind, k.owner from ${schema}.vault g left join lateral ${schema}.owners_v1($2::uuid[]) k on true`);
  const versions = statement(`
    select ${refusal}, ${KEY_COLUMNS}
    from ${schema}.vault g ${owner("$3::text")}
    ${keys(`k.kind = $2::text order by k.ordinal desc limit ${MOST_VERSIONS}`)}
    order by k.ordinal desc`);
  const resolve = statement(`
    select ${refusal}, n.name
    from ${schema}.vault g cross join unnest($2::bytea[]) with ordinality u(tag, n)
    left join lateral (
      select o.name from ${schema}.names t join ${schema}.owners o on o.key = t.owner
      where t.tag = u.tag and o.erased_at is null limit 1) n on true
    order by u.n`);
  const names = statement(`
    select ${refusal}, o.name, encode(substring(t.tag from 1 for ${DIGEST_BYTES + 1}), 'hex') as tag,
      encode(substring(t.sealed from 1 for ${MAX_SEALED_BYTES + 1}), 'hex') as sealed
    from ${schema}.vault g cross join unnest($2::text[]) with ordinality u(owner, n)
    ${owner("u.owner")}
    left join lateral (select t.tag, t.sealed from ${schema}.names t where t.owner = o.key limit 1) t on true
    order by u.n`);
  const erased = statement(`
    select ${refusal}, exists (
      select from ${schema}.owners o where o.name = u.owner and o.erased_at is not null) as erased
    from ${schema}.vault g cross join unnest($2::text[]) with ordinality u(owner, n)
    order by u.n`);
  const people = statement(`
    select ${refusal}, o.name from ${schema}.vault g left join lateral (
      select o.name from ${schema}.owners o
      where ($2::text is null or o.name > $2::text) and o.name ~ '${SUBJECT_ID}'::text and o.erased_at is null
        and (exists (select from ${schema}.names t where t.owner = o.key)
          or exists (select from ${schema}.keys k where k.owner = o.key))
      order by o.name limit $3::bigint) o on true
    order by o.name`);
  const counts = statement(`
    select ${refusal}, c.kind, c.keys from ${schema}.vault g left join (
      select k.kind, count(*) as keys from ${schema}.keys k group by k.kind) c on true`);

  return {
    async resolve(tags) {
      if (tags.length === 0) return [];
      const rows = await connections.run(resolve, [vault, tags.map(asBuffer)], "repeat");
      requireAccepted(rows);
      return rows.map(({ name }) => (isSubjectId(name) ? name : null));
    },
    async names(ids) {
      if (ids.length === 0) return [];
      const rows = await connections.run(names, [vault, ids], "repeat");
      requireAccepted(rows);
      return rows.map(nameRow);
    },
    async active(wanted) {
      if (wanted.length === 0) return [];
      const [kinds, owners] = [wanted.map(({ kind }) => kind), wanted.map((name) => name.owner)];
      const rows = await connections.run(active, [vault, kinds, owners], "repeat");
      requireAccepted(rows);
      return rows.map(keyRead);
    },
    async version(ownerName, keyVersion) {
      if (!isSubjectId(keyVersion) || ownerName.includes("\0")) return { key: null };
      const rows = await connections.run(version, [vault, ownerName, keyVersion], "repeat");
      return keyRead(requireAccepted(rows));
    },
    async owners(wanted) {
      const own = takeVersions(wanted);
      if (own.length === 0) return [];
      const rows = await connections.run(owners, [vault, own], "repeat");
      requireAccepted(rows);
      return rows.map(keyName);
    },
    async versions({ kind, owner: ownerName }) {
      const rows = await connections.run(versions, [vault, kind, ownerName], "repeat");
      requireAccepted(rows);
      return rows.filter((row) => isTrue(row["there"])).map(keyRead);
    },
    async erased(ids) {
      if (ids.length === 0) return [];
      const rows = await connections.run(erased, [vault, ids], "repeat");
      requireAccepted(rows);
      return rows.map((row) => isTrue(row["erased"]));
    },
    async people({ after, limit }) {
      const rows = await connections.run(people, [vault, after, limit], "repeat");
      requireAccepted(rows);
      return rows.flatMap(({ name }) => (isSubjectId(name) ? [name] : []));
    },
    async counts() {
      const rows = await connections.run(counts, [vault], "repeat");
      requireAccepted(rows);
      const found = new Map(rows.map((row) => [row["kind"], whole(row["keys"], 0) ?? 0]));
      return Object.fromEntries(KEY_KINDS.map((kind) => [kind, found.get(kind) ?? 0])) as Record<KeyKind, number>;
    },
  };
}

/** Null: there is none, or it holds what no vault writes. */
function keyName(row: Columns): KeyName | null {
  const [kind, owner] = [KEY_KINDS.find((known) => known === row["kind"]), text(row["owner"])];
  return kind === undefined || owner === null ? null : { kind, owner };
}

/** Null: there is none, or it holds what no vault writes. */
function nameRow(row: Columns): NameRow | null {
  const [id, tag, sealed] = [row["name"], bytes(row["tag"]), bytes(row["sealed"])];
  if (!isSubjectId(id) || tag?.length !== DIGEST_BYTES || sealed === null) return null;
  return sealed.length === 0 || sealed.length > MAX_SEALED_BYTES ? null : { id, tag, sealed };
}

type ReadColumns = Pick<KeyRow, "kind" | "owner" | "version" | "ordinal" | "generation" | "wraps"> & {
  readonly created_at: string;
  readonly key_check: Uint8Array;
  readonly wrap_set: number;
  readonly revision: number;
};

function keyRead(row: Columns): KeyRead {
  if (!isTrue(row["there"])) return { key: null };
  const [check, wraps] = [bytes(row["key_check"]), bytes(row["wraps"])];
  const columns = wholeOr<ReadColumns>("keys", {
    kind: KEY_KINDS.find((kind) => kind === row["kind"]) ?? null,
    owner: text(row["owner"]),
    version: isSubjectId(row["version"]) ? (row["version"] as string as KeyVersion) : null,
    ordinal: whole(row["ordinal"]),
    generation: whole(row["generation"], 0),
    created_at: moment(row["created_at"]),
    key_check: check?.length === DIGEST_BYTES ? check : null,
    wraps: wraps === null ? null : parseWraps(wraps),
    wrap_set: whole(row["wrap_set"], -(2 ** 31)),
    revision: whole(row["revision"], 0),
  });
  if (typeof columns === "string") return { key: null, damage: columns };
  const { created_at: createdAt, key_check: own, wrap_set: wrapSet, revision, ...rest } = columns;
  const form = text(row["form"]);
  const stamp = { wrapSet: wrapSet as WrapSetId, revision };
  const key = { ...rest, createdAt, check: own, stamp, wrapSet: form === null ? null : parseWrapSet(form) };
  return { key };
}
