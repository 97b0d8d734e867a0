/**
 * Kept messages, within the writer's transaction: a message is put aside as another takes its place, is put back, and
 * goes with its version.
 */
import { sql } from "kysely";
import type { RewrapResult } from "../inventory.ts";
import { parseKeptPosition } from "../kept-limits.ts";
import type { KeptDrop, Restore } from "../kept-limits.ts";
import { keptSet } from "./read-kept.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { Undone } from "./undone.ts";
import { versionItem } from "./version-item.ts";
import { rewrapItem } from "./write-inventory.ts";
import { isHeld } from "./write-jobs.ts";

interface VersionKey {
  readonly key: bigint;
}

/** The oldest is the one of the keys that are left: what comes after it is not kept. */
const KEEP = statement((db, { key }: VersionKey) =>
  sql`insert into kept (version_key, wrap_set, bucket, message)
    select key, wrap_set, bucket, message from versions where key = ${key}
    on conflict do nothing`.compile(db),
);

/** The message that the version has now; called before another takes its place. */
export function keepMessage(connection: Connection, key: bigint): void {
  connection.run(KEEP, { key });
}

const DROP_OF_RECORD = statement((db, { record }: { readonly record: bigint }) =>
  db
    .deleteFrom("kept")
    .where("version_key", "in", db.selectFrom("versions").select("key").where("record", "=", record))
    .compile(),
);

/** Called before the record's versions go. */
export function dropKeptOfRecord(connection: Connection, record: bigint): void {
  connection.run(DROP_OF_RECORD, { record });
}

const PUT_BACK = statement((db, row: VersionKey & { readonly since: number; readonly revision: number }) =>
  sql`update versions set wrap_set = kept.wrap_set, message = kept.message,
      since = ${row.since}, revision = ${row.revision}
    from kept where kept.version_key = versions.key and versions.key = ${row.key}`.compile(db),
);

const DROP = statement((db, { key }: VersionKey) => db.deleteFrom("kept").where("version_key", "=", key).compile());

/** The kept message in the place of the version's. Where the row holds what no vault writes, none is kept. */
export function restoreKept(connection: Connection, change: Restore): RewrapResult | Undone<RewrapResult> {
  const { place, seen, at } = change;
  return rewrapItem(
    connection,
    change,
    () => {
      const found = versionItem(connection, place);
      return found === undefined || keptSet(connection, BigInt(found.key)) === null ? undefined : found;
    },
    (key) => {
      connection.run(PUT_BACK, { key, since: Date.parse(at), revision: seen.revision + 1 });
      connection.run(DROP, { key });
    },
  );
}

const DROP_AT = statement((db, { bucket, key }: VersionKey & { readonly bucket: bigint }) =>
  db.deleteFrom("kept").where("bucket", "=", bucket).where("version_key", "=", key).compile(),
);

/** Lets go of them, by their versions or by where they lie; nothing when the lease is somebody else's. */
export function dropKept(connection: Connection, { items, lease }: KeptDrop): undefined | Undone<undefined> {
  if (lease !== null && !isHeld(connection, lease)) return new Undone(undefined);
  let dropped = 0;
  for (const item of items) {
    if ("position" in item) {
      const at = parseKeptPosition(item.position);
      dropped += at === null ? 0 : connection.run(DROP_AT, at);
    } else {
      const found = versionItem(connection, item);
      dropped += found === undefined ? 0 : connection.run(DROP, { key: BigInt(found.key) });
    }
  }
  return dropped === 0 ? new Undone(undefined) : undefined;
}
