/**
 * Changes of one record, inside the caller's transaction: a new version, a removal. Each is made only if the head still
 * is the one that it was prepared against.
 */
import type { Transaction } from "kysely";
import type { Address } from "../records/address.ts";
import type { RemoveChange, WriteChange } from "../store.ts";
import type { VaultSchema } from "./schema.ts";

/** True when the head was the change's base and the version's number was free. */
export async function write(
  transaction: Transaction<VaultSchema>,
  { address, base, next, missing }: WriteChange,
): Promise<boolean> {
  const { collection, id } = address;
  const moved = await moveHead(transaction, address, base, {
    version: next.version,
    state: "live",
    updated_at: next.createdAt,
  });
  if (!moved) return false;
  const inserted = await transaction
    .insertInto("versions")
    .values({
      collection,
      id,
      version: next.version,
      subject: next.subject,
      created_at: next.createdAt,
      wraps_stored: next.wraps.stored,
      wraps_target: next.wraps.target,
      message: next.message,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) return false;
  for (const { region, keyArn, reason } of missing) {
    await transaction
      .insertInto("wrap_debt")
      .values({ collection, id, version: next.version, region, key_arn: keyArn, reason, since: next.createdAt })
      .execute();
  }
  return true;
}

export async function remove(
  transaction: Transaction<VaultSchema>,
  { address, base, tombstone, removedAt }: RemoveChange,
): Promise<boolean> {
  const moved = await moveHead(transaction, address, base, {
    version: tombstone,
    state: "removed",
    updated_at: removedAt,
  });
  if (!moved) return false;
  for (const table of ["versions", "wrap_debt"] as const) {
    await transaction
      .deleteFrom(table)
      .where("collection", "=", address.collection)
      .where("id", "=", address.id)
      .execute();
  }
  return true;
}

/** Compare-and-swap: the row changes only if it still is what the change was prepared against. */
async function moveHead(
  transaction: Transaction<VaultSchema>,
  { collection, id }: Address,
  base: RemoveChange["base"],
  next: Pick<VaultSchema["heads"], "version" | "state" | "updated_at">,
): Promise<boolean> {
  if (base === "damaged") {
    // Nobody builds on a head like this, so nobody can have come in between.
    await transaction
      .replaceInto("heads")
      .values({ collection, id, ...next })
      .execute();
    return true;
  }
  if (base === null) {
    const result = await transaction
      .insertInto("heads")
      .values({ collection, id, ...next })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return result.numInsertedOrUpdatedRows === 1n;
  }
  const result = await transaction
    .updateTable("heads")
    .set(next)
    .where("collection", "=", collection)
    .where("id", "=", id)
    .where("version", "=", base.version)
    .where("state", "=", base.state)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
