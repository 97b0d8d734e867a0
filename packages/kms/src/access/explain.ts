// Why a request would be allowed or denied: the decision, the statement it rests on, and why the others do not count.
// The key may be one of a data directory, read without the root key: what a key is called and who may use it is not
// sealed. A server may be at work on the directory.

import { KmsError } from "../errors.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { requireDatabase } from "../store/database.ts";
import { aliasFromRow, grantFromRow, keyFromRows, lastUseFromRow } from "../store/rows.ts";
import { openToRead } from "../upkeep/database-file.ts";
import { decide, mismatchOf, namesPrincipal } from "./decision.ts";
import type { Decision, Question } from "./decision.ts";
import type { Statement } from "./policy.ts";
import { namesOf, questionOf } from "./supposition.ts";
import type { StoredKey, Supposition } from "./supposition.ts";

/** How one statement takes the request. */
export interface StatementResult {
  readonly source: "key policy" | "identity policy";
  /** Its Sid, or its position, counted from 1. */
  readonly statement: string;
  readonly effect: "Allow" | "Deny";
  /** Why it does not count; null if it does. */
  readonly mismatch: string | null;
}

/** A decision explained. */
export interface Explanation {
  readonly decision: Decision;
  readonly sentence: string;
  readonly statements: readonly StatementResult[];
}

/** @throws KmsError `option-invalid` for a malformed policy or ARN, `credentials-malformed`. */
export function explain(supposition: Supposition): Explanation {
  try {
    return explained(questionOf(supposition));
  } catch (error) {
    if (error instanceof AwsError) throw new KmsError("option-invalid", error.message, { cause: error });
    throw error;
  }
}

function explained(question: Question): Explanation {
  const decision = decide(question);
  const statements = [
    ...(question.keyPolicy ?? []).map((statement, i) => resultOf("key policy", statement, i, question)),
    ...question.identityPolicies.map((statement, i) => resultOf("identity policy", statement, i, question)),
  ];
  return { decision, sentence: sentenceOf(decision, question), statements };
}

function resultOf(
  source: StatementResult["source"],
  statement: Statement,
  index: number,
  question: Question,
): StatementResult {
  const named = source === "identity policy" ? "directly" : namesPrincipal(statement, question.principal);
  const mismatch = named === "no" ? "it names other principals" : mismatchOf(statement, question);
  const delegates = named === "through-account" && statement.effect === "Allow" && mismatch === null;
  return {
    source,
    statement: statement.sid ?? String(index + 1),
    effect: statement.effect,
    mismatch: delegates ? "it allows the account, so the principal's own policies decide" : mismatch,
  };
}

const BY: Readonly<Record<Decision["by"], string>> = {
  "key-policy": "the key policy allows it",
  "identity-policy": "the key policy leaves it to the account, and a policy of the principal allows it",
  grant: "a grant allows it",
  "account-root": "the account's root may do it",
  "explicit-deny-in-key-policy": "the key policy denies it, and a Deny outweighs every Allow",
  "explicit-deny-in-identity-policy": "a policy of the principal denies it, and a Deny outweighs every Allow",
  "nothing-allows": "neither the key policy nor a policy of the principal nor a grant allows it",
};

const sentenceOf = ({ kind, by, sid }: Decision, { principal, action }: Question): string =>
  `${kind === "allow" ? "ALLOWED" : "DENIED"}: ${principal.arn} ${kind === "allow" ? "may" : "may not"} ${action}, ` +
  `because ${BY[by]}${sid === null ? "" : ` (${sid})`}.`;

/**
 * Finds a key by its id, ARN, alias or alias ARN.
 * @throws KmsError `key-unknown` if there is none, or one in several regions and no ARN says which.
 */
export async function storedKey(dataDir: string, reference: string): Promise<StoredKey> {
  const db = openToRead(requireDatabase(dataDir));
  try {
    const aliases = (await db.selectFrom("aliases").selectAll().execute()).map(aliasFromRow);
    const keys = (await db.selectFrom("keys").selectAll().execute()).map((row) => keyFromRows(row, []));
    const aliasesOf = ({ region, keyId }: KeyRecord): readonly string[] =>
      aliases.filter((alias) => alias.region === region && alias.keyId === keyId).map((alias) => alias.name);
    const found = keys.filter((key) => namesOf({ key, aliases: aliasesOf(key) }).includes(reference));
    const [key, another] = found;
    if (key === undefined) throw new KmsError("key-unknown", `${reference}.`);
    if (another !== undefined)
      throw new KmsError(
        "key-unknown",
        `${reference} is in several regions: give one of ${found.map(({ arn }) => arn).join(", ")}.`,
      );
    const grants = (
      await db
        .selectFrom("grants")
        .selectAll()
        .where("region", "=", key.region)
        .where("key_id", "=", key.keyId)
        .execute()
    ).map(grantFromRow);
    const lastUse = await db
      .selectFrom("last_uses")
      .selectAll()
      .where("region", "=", key.region)
      .where("key_id", "=", key.keyId)
      .executeTakeFirst();
    return {
      kind: "stored",
      key,
      aliases: aliasesOf(key),
      grants,
      lastUsedAt: lastUse === undefined ? null : lastUseFromRow(lastUse).at,
    };
  } finally {
    await db.destroy();
  }
}
