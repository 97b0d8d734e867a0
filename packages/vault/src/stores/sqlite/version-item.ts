/**
 * A version's row as a repair finds it.
 */
import type { VersionPlace } from "../rows.ts";
import { rowNumber, whole } from "./columns.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import type { FoundItem } from "./write-inventory.ts";

const VERSION_KEY = statement((db, { collection, id, version }: VersionPlace) =>
  db
    .selectFrom("records")
    .innerJoin("versions", "versions.record", "records.record")
    .select([
      rowNumber("versions.key").as("key"),
      whole("versions.wrap_set", 0).as("wrapSet"),
      whole("versions.revision", 0).as("revision"),
    ])
    .where("records.collection", "=", collection)
    .where("records.id", "=", id)
    .where("versions.version", "=", version)
    .compile(),
);

/** Undefined when it is gone. */
export function versionItem(connection: Connection, place: VersionPlace): FoundItem | undefined {
  return connection.first(VERSION_KEY, place);
}
