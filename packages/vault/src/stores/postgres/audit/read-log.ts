/**
 * Reads of the audit's log. Rows are given as they are found: whoever verifies has the tree.
 */
import type {
  AddressHead,
  AuditLog,
  Latest,
  LogCounts,
  LogRow,
  LogState,
  LogStream,
  WholeLogRow,
} from "../../audit-log.ts";
import { refused } from "../../checked.ts";
import type { KeyVersion } from "../../key-store.ts";
import { MAX_APPEND_BYTES, MAX_ENTRY_BYTES } from "../../outbox.ts";
import type { AddressTag, EntryId, StreamId } from "../../outbox.ts";
import type { HeadState } from "../../rows.ts";
import { isSubjectId } from "../../subjects.ts";
import type { Version } from "../../../records/address.ts";
import { bytes, isTrue, moment, text, whole } from "../columns.ts";
import type { Columns } from "../columns.ts";
import { statement } from "../connection.ts";
import type { Connections, Statement } from "../connection.ts";
import { refusalColumn, requireAccepted } from "../refusals.ts";
import type { SchemaName } from "../schema-name.ts";
import { joined } from "../sent-bytes.ts";
import { milliseconds } from "../units.ts";
import { HASH_BYTES, parseSubtrees } from "./subtrees.ts";

/** The calls that change nothing. */
export type LogReads = Pick<
  AuditLog,
  | "state"
  | "latest"
  | "firstVersions"
  | "heads"
  | "entries"
  | "counts"
  | "positions"
  | "namedKeys"
  | "find"
  | "hashes"
  | "streams"
  | "forgettable"
>;

const ROW = `w.position, w.id, encode(w.leaf, 'hex') as leaf, encode(w.text, 'hex') as text,
      w.text is not null as is_kept`;
const COUNTED = ["entries", "subtrees", "heads", "messages", "streams", "people"] as const;

/** @param vault the id that the database must have */
export function logReads(connections: Connections, schema: SchemaName, vault: string): LogReads {
  const asked = (columns: string, call: string): Statement =>
    statement(`
    select ${refusalColumn("$1::text")}, ${columns}
    from ${schema}.vault g left join lateral ${schema}.${call} w on true`);
  const state = statement(`
    select ${refusalColumn("$1::text")}, l.history, l.size, encode(l.subtrees, 'hex') as subtrees, l.checkpoint,
      l.published, l.adopted, l.forgotten
    from ${schema}.vault g left join ${schema}.log l on l.one = 1`);
  const latest = asked(
    "w.there, w.version, w.state, w.entry, w.known",
    "latest_v1($2::text[], $3::bigint[], $4::bytea)",
  );
  const firstVersions = asked("w.version", "first_versions_v1($2::text[])");
  const heads = asked("w.tag, w.version, w.state, w.entry", "heads_v1($2::boolean, $3::text, $4::bigint)");
  const entries = asked(
    `${ROW}, w.at, w.principal, w.action, w.collection, w.people`,
    "entries_v1($2::bigint, $3::bigint, $4::bigint, $5::integer)",
  );
  const counts = asked(COUNTED.map((table) => `w.${table}`).join(", "), "counts_v1()");
  const positions = asked("w.position", "positions_v1($2::uuid[])");
  const namedKeys = asked("w.key", "named_keys_v1($2::text, $3::bigint)");
  const find = asked(
    ROW,
    "find_v1($2::text[], $3::text, $4::text, $5::text, $6::bigint, $7::bigint, $8::boolean, $9::bigint, $10::bigint, " +
      "$11::integer)",
  );
  const hashes = asked("w.index, encode(w.hash, 'hex') as hash", "hashes_v1($2::integer, $3::bigint, $4::bigint)");
  const streams = asked("w.stream, w.number, w.ended", "log_streams_v1($2::text, $3::uuid, $4::bigint)");

  const forgettable = asked("w.position", "forgettable_v1($2::bigint, $3::text[], $4::bigint, $5::bigint)");

  async function ask(query: Statement, values: readonly unknown[]): Promise<readonly Columns[]> {
    const rows = await connections.run(query, [vault, ...values], "repeat");
    requireAccepted(rows);
    return rows;
  }

  return {
    async state() {
      const [row] = await ask(state, []);
      return logState(row ?? {});
    },
    async latest(queries) {
      if (queries.length === 0) return [];
      // What is no hash is of no message.
      const messages = queries.map(({ message }) => (message?.sha256.length === HASH_BYTES ? message : null));
      const values = [
        queries.map(({ tag }) => tag),
        messages.map((message) => message?.version ?? null),
        joined(messages.map((message) => message?.sha256 ?? new Uint8Array(HASH_BYTES))),
      ];
      return (await ask(latest, values)).map(latestRow);
    },
    async firstVersions(tags) {
      if (tags.length === 0) return [];
      return (await ask(firstVersions, [tags])).map(({ version }) => whole(version, 1) as Version | null);
    },
    async heads({ only, after, limit }) {
      const rows = await ask(heads, [only === "live", after, limit]);
      return rows.flatMap((row) => {
        const tag = text(row["tag"]);
        return tag === null ? [] : { tag: tag as AddressTag, ...headRow(row) };
      });
    },
    async entries({ from, limit }) {
      return (await ask(entries, [from, limit, MAX_APPEND_BYTES, MAX_ENTRY_BYTES])).flatMap(wholeRow);
    },
    async counts() {
      const [row] = await ask(counts, []);
      const found = COUNTED.map((table) => [table, whole(row?.[table], 0) ?? 0]);
      return Object.fromEntries(found) as Record<keyof LogCounts, number>;
    },
    async positions(ids) {
      if (ids.length === 0) return [];
      const rows = await ask(positions, [ids.map((id) => (isSubjectId(id) ? id : null))]);
      return rows.map(({ position }) => whole(position, 0));
    },
    async namedKeys({ after, limit }) {
      return (await ask(namedKeys, [after, limit])).flatMap(({ key }) => (text(key) as KeyVersion | null) ?? []);
    },
    async find({ people, principal, action, collection, since, until }, { order, after, limit }) {
      const values = [
        people ?? null,
        principal ?? null,
        action ?? null,
        collection ?? null,
        since === undefined ? null : milliseconds(since),
        until === undefined ? null : milliseconds(until),
        order === "newest",
        after,
        limit,
        MAX_ENTRY_BYTES,
      ];
      return (await ask(find, values)).flatMap(logRow);
    },
    async hashes({ height, start, end }) {
      const found = (await ask(hashes, [height, start, end])).filter(({ index }) => index !== null);
      const missing = found.findIndex(({ index }, at) => whole(index, 0) !== start + at);
      return found.slice(0, missing === -1 ? found.length : missing).map(({ hash }) => bytes(hash) ?? new Uint8Array());
    },
    async streams(outbox, { after, limit }) {
      const rows = await ask(streams, [outbox, after, limit]);
      return rows.flatMap((row): readonly LogStream[] => {
        const stream = text(row["stream"]) as StreamId | null;
        const number = whole(row["number"], 0) ?? 0;
        return stream === null ? [] : [{ outbox, stream, number, ended: isTrue(row["ended"]) }];
      });
    },
    async forgettable({ before, keep, from, limit }) {
      const rows = await ask(forgettable, [milliseconds(before), keep, from, limit]);
      return rows.flatMap(({ position }) => whole(position, 0) ?? []);
    },
  };
}

const isWhole = (number: number | null | undefined): number is number => typeof number === "number";

/** @throws VaultError `store-failed` when there is no such row, or it holds what no vault writes */
function logState(row: Columns): LogState {
  const [size, published, forgotten] = ["size", "published", "forgotten"].map((name) => whole(row[name], 0));
  const subtrees = parseSubtrees(bytes(row["subtrees"]));
  if (!isWhole(size) || !isWhole(published) || !isWhole(forgotten) || subtrees === null)
    throw refused("the row of the audit's log is absent or damaged");
  return {
    history: text(row["history"]),
    size,
    subtrees,
    checkpoint: text(row["checkpoint"]),
    published,
    adopted: isTrue(row["adopted"]),
    forgotten,
  };
}

/** What is damaged is empty or 0: no record is like it. */
function headRow(row: Columns): AddressHead {
  const { state, entry } = row;
  return {
    version: (whole(row["version"]) ?? 0) as Version,
    state: (state === "live" || state === "removed" ? state : "") as HeadState,
    entry: (entry === null || isSubjectId(entry) ? entry : "") as EntryId | null,
  };
}

const latestRow = (row: Columns): Latest => ({
  head: isTrue(row["there"]) ? headRow(row) : null,
  isKnown: isTrue(row["known"]),
});

function logRow(row: Columns): readonly LogRow[] {
  const position = whole(row["position"], 0);
  if (position === null) return [];
  const id = (isSubjectId(row["id"]) ? row["id"] : "") as string as EntryId;
  const leaf = bytes(row["leaf"]) ?? new Uint8Array();
  return [{ position, id, leaf, text: isTrue(row["is_kept"]) ? (bytes(row["text"]) ?? new Uint8Array()) : null }];
}

/** What is damaged is empty. */
function wholeRow(row: Columns): readonly WholeLogRow[] {
  const [people, collection] = [text(row["people"]) ?? "", text(row["collection"])];
  const found = {
    at: moment(row["at"]) ?? "",
    principal: text(row["principal"]) ?? "",
    action: text(row["action"]) ?? "",
    collection,
    people: people === "" ? [] : people.split("\n"),
  };
  return logRow(row).map((own) => ({ ...own, found }));
}
