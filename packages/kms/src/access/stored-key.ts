// A key of a data directory as `policy test` needs it, read without the root key: what a key is called and who may use
// it is not sealed. A server may be at work on the directory.

import { KmsError } from "../errors.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { aliasFromRow, grantFromRow, keyFromRows } from "../store/rows.ts";
import { requireDatabase } from "../store/database.ts";
import { openToRead } from "../upkeep/verify.ts";
import type { ExplainedKey } from "./explain.ts";

/**
 * Finds a key by its id, ARN, alias or alias ARN.
 * @throws KmsError `key-unknown` if there is none, or one in several regions and no ARN says which.
 */
export async function storedKey(dataDir: string, reference: string): Promise<ExplainedKey & { kind: "stored" }> {
  const db = openToRead(requireDatabase(dataDir));
  try {
    const aliases = (await db.selectFrom("aliases").selectAll().execute()).map(aliasFromRow);
    const keys = (await db.selectFrom("keys").selectAll().execute()).map((row) => keyFromRows(row, []));
    const named = (key: KeyRecord): boolean => {
      const its = aliases
        .filter((alias) => alias.region === key.region && alias.keyId === key.keyId)
        .map((alias) => alias.name);
      const prefix = key.arn.replace(/key\/[^/]*$/, "");
      return [key.keyId, key.arn, ...its, ...its.map((name) => prefix + name)].includes(reference);
    };
    const found = keys.filter(named);
    const [key, another] = found;
    if (key === undefined) throw new KmsError("key-unknown", `${reference}.`);
    if (another !== undefined)
      throw new KmsError(
        "key-unknown",
        `${reference} is in several regions: give one of ${found.map((one) => one.arn).join(", ")}.`,
      );
    const grants = (
      await db
        .selectFrom("grants")
        .selectAll()
        .where("region", "=", key.region)
        .where("key_id", "=", key.keyId)
        .execute()
    ).map(grantFromRow);
    const names = aliases
      .filter((alias) => alias.region === key.region && alias.keyId === key.keyId)
      .map((alias) => alias.name);
    return { kind: "stored", key, aliases: names, grants };
  } finally {
    await db.destroy();
  }
}
