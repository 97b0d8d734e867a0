/**
 * Indexes and tags in PostgreSQL. A change of the indexes is a flip of the gate: their rows and the epoch are one
 * transaction, and then those who began before are waited for.
 */
import { VaultError } from "../../errors.ts";
import { refused, whole as taken } from "../checked.ts";
import type { Epoch } from "../gate.ts";
import { STORE_WRITER } from "../gate.ts";
import {
  checkFill,
  foundIndexRow,
  indexId,
  MAX_INDEX_NAME,
  requireSameIndex,
  TAG_BYTES,
  takeAddresses,
  takeIndexRows,
  takeMost,
  takePurge,
  takeQuery,
  takeTerms,
} from "../index-limits.ts";
import type { TagTerms } from "../index-limits.ts";
import type { FillResult, Indexes, IndexRow, Tag, TaggedRecord } from "../indexes.ts";
import type { Columns } from "./columns.ts";
import { bytes, foundName, isTrue, nameColumn, sealedIdColumn, text, whole } from "./columns.ts";
import { placeholders, RollBack, statement } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { gateDrain } from "./gate.ts";
import type { GateContext } from "./gate.ts";
import { refusalColumn, requireAccepted, writeRefusalColumn } from "./refusals.ts";
import type { SchemaName } from "./schema-name.ts";
import { parseRecordPosition, recordPosition } from "./subject-rows.ts";
import { requireWholeTags, tagBytes } from "./tags.ts";
import { leaseValues } from "./wrapped-versions.ts";

/** A hand can add rows as it likes. */
const MOST_INDEXES = 10_000;

/** Most rows that are told of how often tags come: a hand can give each tag a number of its own. */
const MOST_FREQUENCIES = 10_000;

const UNNAMED = { isNamed: false } as const;

const RESULTS: ReadonlyMap<unknown, FillResult> = new Map<unknown, FillResult>([
  ["made", "filled"],
  ["overtaken", "overtaken"],
  ["gate-moved", "gate-moved"],
  ["taken", "taken"],
]);

export function postgresIndexes(context: GateContext): Indexes {
  const { connections, schema, vault, lockTimeoutMs, drainTimeoutMs } = context;
  const sql = indexStatements(schema);
  const drainBelow = gateDrain(context);
  const common = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs)];

  /** Puts rows in their places, within the transaction that has moved the epoch. */
  async function setRows(connection: Connection, set: readonly IndexRow[]): Promise<void> {
    const before = await connection.query(sql.held, [set.map(({ id }) => id)], UNNAMED);
    const known = new Map(before.flatMap((row) => indexRow(row) ?? []).map((row) => [row.id, row]));
    for (const row of set) requireSameIndex(known.get(row.id), row);
    const values = [
      set.map(({ id }) => id),
      set.map(({ collection }) => collection),
      set.map(({ name }) => name),
      set.map(({ isUnique }) => isUnique),
      set.map(({ state }) => state),
    ];
    await connection.query(sql.set, values, UNNAMED);
  }

  return {
    async list() {
      const rows = await connections.run(sql.list, [vault], "repeat");
      const first = requireAccepted(rows);
      const indexes = rows.filter(({ id }) => id !== null).flatMap((row) => indexRow(row) ?? []);
      return { epoch: (whole(first["epoch"], 0) ?? 0) as Epoch, indexes };
    },
    async change({ from, set: given }) {
      const set = takeIndexRows(given);
      requireAccepted(await connections.run(sql.mayWrite, [vault], "repeat"));
      try {
        // Writers in a snapshot hold the gate's row itself, and are waited for here.
        await connections.transaction(Math.max(lockTimeoutMs, drainTimeoutMs), async (connection) => {
          const [moved] = await connection.query(sql.move, [vault, from], UNNAMED);
          if (moved === undefined) throw new RollBack();
          if (moved["digest"] === null) throw refused("no key set is in force yet");
          await setRows(connection, set);
        });
      } catch (error) {
        if (error instanceof RollBack) return "moved";
        throw error;
      }
      await drainBelow(from + 1);
      return "changed";
    },
    async find(query) {
      const { after, limit, ...terms } = takeQuery(query);
      const only = onlyTag(terms);
      const rows = await (only === null
        ? connections.run(sql.find, [vault, ...termValues(terms), parseRecordPosition(after), limit], "repeat")
        : connections.run(sql.findOne, [vault, ...only, parseRecordPosition(after), limit], "repeat"));
      requireAccepted(rows);
      return rows.filter(({ key }) => key !== null).map(taggedRecord);
    },
    async count(given, most) {
      const [terms, atMost] = [takeTerms(given), takeMost(most)];
      const values = [vault, ...termValues(terms), parseRecordPosition(null), atMost];
      return whole(requireAccepted(await connections.run(sql.count, values, "repeat"))["found"], 0) ?? 0;
    },
    async fill(given, givenLease) {
      const { fillings, lease } = checkFill({ fillings: given, lease: givenLease });
      if (fillings.length === 0) return [];
      const tags = fillings.flatMap((filling, index) => filling.tags.map((tag) => ({ tag, unit: index + 1 })));
      const values = [
        fillings.map(({ address }) => address.collection),
        fillings.map(({ address }) => address.id),
        fillings.map(({ index }) => index),
        fillings.map(({ seen }) => seen),
        fillings.map(({ epoch }) => epoch),
        tags.map(({ unit }) => unit),
        tags.map(({ tag }) => tagBytes(tag)),
      ];
      // Twice is the same as once.
      const rows = await connections.run(sql.fill, [...common, ...values, ...leaseValues(lease)], "repeat");
      requireWholeTags(requireAccepted(rows, "result")["result"]);
      return rows.map(({ result }) => fillResult(result));
    },
    async forget(given) {
      const addresses = takeAddresses(given);
      const values = [addresses.map(({ collection }) => collection), addresses.map(({ id }) => id)];
      requireAccepted(await connections.run(sql.forget, [...common, ...values], "repeat"), "result");
    },
    async purge(given, most) {
      const { index, limit } = takePurge({ index: given, limit: most });
      const row = requireAccepted(await connections.run(sql.purge, [...common, index, limit], "repeat"), "result");
      if (row["result"] === "not-dropped") throw refused("tags of an index that was not dropped do not go");
      return whole(row["changed"], 0) ?? 0;
    },
    async tagsOf({ collection, id }) {
      const rows = await connections.run(sql.tagsOf, [vault, collection, id], "repeat");
      if (!isTrue(requireAccepted(rows)["is_live"])) return null;
      return rows.flatMap(tagOf);
    },
    async frequencies(given) {
      const rows = await connections.run(sql.frequencies, [vault, taken(() => indexId(given))], "repeat");
      requireAccepted(rows);
      return rows.flatMap((row) => {
        const [records, tags] = [whole(row["records"]), whole(row["tags"])];
        return records === null || tags === null ? [] : { records, tags };
      });
    },
  };
}

function indexStatements(schema: SchemaName) {
  const refusal = refusalColumn("$1::text");
  const rowColumns = `i.id, ${nameColumn("i.collection")} as collection, left(i.name, ${MAX_INDEX_NAME * 2 + 1}) as name,
      i.is_unique, i.state`;
  const found = `${schema}.find_tags_v1($2::text, $3::integer[], $4::text[], $5::bytea[], $6::bigint, $7::bigint) f`;
  // Each by itself, so that no plan reads a table.
  const recordColumns = (record: string): string => `
        (select ${nameColumn("r.id")} from ${schema}.records r where r.key = ${record}) as id, (
          select encode(h.sealed_id, 'hex') from (
            select ${sealedIdColumn("h.sealed_id")} from ${schema}.heads h where h.record = ${record}) h) as sealed_id`;
  // A record's rows are looked up once each, and no join could lead.
  const ofOne = (table: string): string => `
        (select t.record, r.id, h.sealed_id from ${schema}.${table} t
          cross join lateral (
            select ${sealedIdColumn("h.sealed_id")} from ${schema}.heads h
            where h.record = t.record and h.state = 'live' limit 1) h
          cross join lateral (
            select ${nameColumn("r.id")} as id from ${schema}.records r
            where r.key = t.record and r.collection = $2::text limit 1) r
          where ${table === "tags" ? "not i.is_unique" : "i.is_unique"} and t.index = i.key and t.tag = $4::bytea
            and t.record > $5::bigint
          order by t.record limit $6::bigint)`;
  const counted = (table: string): string => `
        select count(*) as records from ${schema}.${table} t
        where t.index = (select i.key from ${schema}.indexes i where i.id = $2::text) group by t.tag`;
  return {
    list: statement(`
      select ${refusal}, g.epoch, i.* from ${schema}.vault g left join (
        select ${rowColumns} from ${schema}.indexes i order by i.id limit ${MOST_INDEXES}) i on true
      order by i.id`),
    mayWrite: statement(`select ${writeRefusalColumn("$1::text")} from ${schema}.vault g`),
    move: statement(`
      update ${schema}.vault set epoch = epoch + 1
      where id = $1::text and epoch = $2::bigint and min_writer <= ${STORE_WRITER} returning digest`),
    held: statement(`
      select ${rowColumns} from ${schema}.indexes i where i.id = any($1::text[]) order by i.id for update`),
    set: statement(`
      insert into ${schema}.indexes as i (id, collection, name, is_unique, state)
      select u.id, u.collection, u.name, u.is_unique, u.state
      from unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[])
        u(id, collection, name, is_unique, state)
      order by u.id collate "C"
      on conflict (id) do update set state = excluded.state`),
    findOne: statement(`
      select ${refusal}, f.record as key, f.id, encode(f.sealed_id, 'hex') as sealed_id
      from ${schema}.vault g
      left join lateral (
        select i.key, i.is_unique from ${schema}.indexes i
        where i.id = $3::text and i.collection = $2::text and i.state <> 'dropped' limit 1) i on true
      left join lateral (${["tags", "unique_tags"].map(ofOne).join(" union all ")}) f on true
      order by f.record`),
    find: statement(`
      select ${refusal}, f.key, ${recordColumns("f.key")} from ${schema}.vault g left join ${found} on true
      order by f.key`),
    count: statement(`
      select ${refusal}, (select count(*) from ${found}) as found from ${schema}.vault g`),
    fill: statement(`select result from ${schema}.fill_v1(${placeholders(13)})`),
    forget: statement(`select result from ${schema}.forget_tags_v1(${placeholders(5)})`),
    purge: statement(`select result, changed from ${schema}.purge_tags_v1(${placeholders(5)})`),
    // Of a tag that is longer than any, more than may be. One in the other kind's table is none of the index's.
    tagsOf: statement(`
      select ${refusal}, h.record is not null as is_live, i.id as index,
        encode(substr(t.tag, 1, ${TAG_BYTES.most + 1}), 'hex') as tag
      from ${schema}.vault g
      left join lateral (
        select h.record from ${schema}.records r join ${schema}.heads h on h.record = r.key and h.state = 'live'
        where r.collection = $2::text and r.id = $3::text limit 1) h on true
      left join lateral (
        select t.index, t.tag, false as is_unique from ${schema}.tags t where t.record = h.record
        union all
        select t.index, t.tag, true as is_unique from ${schema}.unique_tags t where t.record = h.record) t on true
      left join ${schema}.indexes i on i.key = t.index and i.is_unique = t.is_unique
      order by i.id, t.tag`),
    frequencies: statement(`
      select ${refusal}, c.records, c.tags from ${schema}.vault g left join (
        select o.records, count(*) as tags from (${counted("tags")}
          union all ${counted("unique_tags")}) o
        group by o.records order by o.records limit ${MOST_FREQUENCIES}) c on true
      order by c.records`),
  };
}

function indexRow(row: Columns): IndexRow | null {
  const { id, name, state } = row;
  return foundIndexRow({ id, name, state, collection: row["collection"], isUnique: isTrue(row["is_unique"]) });
}

/** The collection, the index and the tag of a query of one; null: it has more. */
function onlyTag({ collection, terms: [term = [], ...others] }: TagTerms): readonly unknown[] | null {
  const [only, ...more] = term;
  if (only === undefined || more.length > 0 || others.length > 0) return null;
  return [collection, only.index, tagBytes(only.tag)];
}

/** The collection, and of each tag its term, index and bytes. */
function termValues({ collection, terms }: TagTerms): unknown[] {
  const tags = terms.flatMap((term, index) => term.map((tag) => ({ ...tag, term: index })));
  return [
    collection,
    tags.map(({ term }) => term),
    tags.map(({ index }) => index),
    tags.map(({ tag }) => tagBytes(tag)),
  ];
}

function taggedRecord(row: Columns): TaggedRecord {
  return {
    id: foundName(row["id"]).text,
    sealedId: bytes(row["sealed_id"]),
    position: recordPosition(row["key"]),
  };
}

/** Tags of no index that there is are nobody's. */
function tagOf(row: Columns): readonly Tag[] {
  const [index, tag] = [text(row["index"]), bytes(row["tag"])];
  return index === null || tag === null ? [] : [{ index: index as Tag["index"], tag }];
}

function fillResult(answered: unknown): FillResult {
  const result = RESULTS.get(answered);
  if (result === undefined) throw new VaultError("store-altered", "The database answered what no vault answers");
  return result;
}
