/**
 * Keys as the inventory finds and changes them: `collection` is the kind, `id` the owner.
 */
import { bucketOf } from "../../bucket.ts";
import { STORE_WRITER } from "../../gate.ts";
import { takeKeyRewrap } from "../../key-limits.ts";
import { KEY_KINDS } from "../../key-store.ts";
import type { KeyPlace, KeyRewrap, KeyVersion } from "../../key-store.ts";
import { wrapsForm } from "../../key-wraps.ts";
import { isSubjectId } from "../../subjects.ts";
import { wrapSetDigest, wrapSetForm } from "../../wrap-set.ts";
import { foundName, nameColumn } from "../columns.ts";
import type { Columns } from "../columns.ts";
import { placeholders, statement } from "../connection.ts";
import type { WrappedTable } from "../inventory.ts";
import type { SchemaName } from "../schema-name.ts";
import { asBuffer } from "../sent-bytes.ts";
import { milliseconds } from "../units.ts";
import { leaseValues } from "../wrapped-versions.ts";

export const wrappedKeys = (schema: SchemaName): WrappedTable<KeyPlace, KeyRewrap> => ({
  name: "keys",
  key: [{ column: "key", bits: 63n }],
  item: {
    columns: `${nameColumn("k.kind")} as collection, ${nameColumn("w.name")} as id, k.version`,
    joins: `left join ${schema}.keys k on k.key = o.key left join ${schema}.owners w on w.key = k.owner`,
  },
  hold: `${schema}.owners o join ${schema}.keys v on v.owner = o.key
      where v.kind = $5::text and o.name = $6::text and v.version = $7::uuid`,
  valuesOf: ({ kind, owner, version }) => [kind, owner, version],
  placeOf,
  rewrap: statement(`select result, epoch from ${schema}.rewrap_key_v2(${placeholders(20)})`),
  rewrapValues: (change, { vault, lockTimeoutMs }) => {
    const { place, seen, epoch, wraps, moved, wrapSet, at, lease } = takeKeyRewrap(change);
    return [
      vault,
      STORE_WRITER,
      Math.ceil(lockTimeoutMs),
      epoch,
      place.kind,
      place.owner,
      place.version,
      seen.wrapSet,
      seen.revision,
      wrapSetDigest(wrapSetForm(wrapSet)),
      milliseconds(at),
      wraps === null ? null : wrapsForm(wraps),
      moved?.generation ?? null,
      moved === null ? null : asBuffer(moved.check),
      ...(moved?.as === undefined
        ? [null, null, null]
        : [moved.as.kind, moved.as.ordinal, bucketOf({ collection: moved.as.kind, id: place.owner })]),
      ...leaseValues(lease),
    ];
  },
  wrapSetOf: ({ wrapSet }) => wrapSet,
});

function placeOf(row: Columns): KeyPlace | null {
  const [owner, version] = [foundName(row["id"]), row["version"]];
  const kind = KEY_KINDS.find((known) => known === row["collection"]);
  if (kind === undefined || !owner.isWhole || owner.text === "" || !isSubjectId(version)) return null;
  return { kind, owner: owner.text, version: version as string as KeyVersion };
}
