// Following the audit chain from its first entry to the end that the database remembers.

import type { Kysely } from "kysely";
import { KmsError } from "../errors.ts";
import { META, readMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { ChainVerifier } from "./chain.ts";

/** @throws KmsError `audit-broken`, naming the first entry that does not fit. */
export async function verifyChain(db: Kysely<Schema>, key: Uint8Array): Promise<void> {
  const verifier = new ChainVerifier(key);
  for await (const entry of db.selectFrom("audit").selectAll().orderBy("seq").stream()) {
    if (!verifier.accepts(entry))
      throw new KmsError("audit-broken", `entry ${verifier.count} was changed, or one before it is missing.`);
  }
  const head = (await readMeta(db)).get(META.auditHead);
  if (head === undefined || !verifier.endsAt(head))
    throw new KmsError("audit-broken", `it does not end at entry ${verifier.count}: the last ones are missing.`);
}
