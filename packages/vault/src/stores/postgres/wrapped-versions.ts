/**
 * Versions of records as the inventory finds and changes them.
 */
import { isCollection, parseId } from "../../records/address.ts";
import type { Version } from "../../records/address.ts";
import { STORE_WRITER } from "../gate.ts";
import type { Rewrap } from "../inventory.ts";
import type { Lease } from "../jobs.ts";
import type { VersionPlace } from "../rows.ts";
import { wrapSetDigest, wrapSetForm } from "../wrap-set.ts";
import { foundName, nameColumn, whole } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { placeholders, statement } from "./connection.ts";
import type { WrappedTable } from "./inventory.ts";
import type { SchemaName } from "./schema-name.ts";
import { asBuffer } from "./sent-bytes.ts";
import { milliseconds } from "./units.ts";

export const wrappedVersions = (schema: SchemaName): WrappedTable<VersionPlace, Rewrap> => ({
  name: "versions",
  key: [
    { column: "record", bits: 63n },
    { column: "version", bits: 63n },
  ],
  item: {
    columns: `${nameColumn("r.collection")} as collection, ${nameColumn("r.id")} as id`,
    joins: `left join ${schema}.records r on r.key = o.record`,
  },
  hold: `${schema}.records r join ${schema}.versions v on v.record = r.key
      where r.collection = $5::text and r.id = $6::text and v.version = $7::bigint`,
  valuesOf: ({ collection, id, version }) => [collection, id, version],
  placeOf: placeOfVersion,
  alsoNumbered: ["kept"],
  rewrap: statement(`select result, epoch from ${schema}.rewrap_v2(${placeholders(16)})`),
  rewrapValues: ({ place, seen, epoch, message, keeps, wrapSet, at, lease }, { vault, lockTimeoutMs }) => [
    vault,
    STORE_WRITER,
    Math.ceil(lockTimeoutMs),
    epoch,
    place.collection,
    place.id,
    place.version,
    seen.wrapSet,
    seen.revision,
    wrapSetDigest(wrapSetForm(wrapSet)),
    milliseconds(at),
    message === null ? null : asBuffer(message),
    keeps === true,
    ...leaseValues(lease),
  ],
  wrapSetOf: ({ wrapSet }) => wrapSet,
});

/** As the functions take it. */
export const leaseValues = (lease: Lease | null): unknown[] => [
  lease?.job ?? null,
  lease?.partition ?? null,
  lease?.fence ?? null,
];

/** Null: no vault writes it. */
export function placeOfVersion(row: Columns): VersionPlace | null {
  const [collection, id, version] = [foundName(row["collection"]).text, foundName(row["id"]), whole(row["version"])];
  if (version === null || !id.isWhole || !isCollection(collection)) return null;
  try {
    return { collection, id: parseId(id.text), version: version as Version };
  } catch {
    return null;
  }
}
