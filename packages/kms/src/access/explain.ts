// Why a request would be allowed or denied: the decision, the statement it rests on, and why the others do not count.
// The key may be one of a data directory, read without the root key: what a key is called and who may use it is not
// sealed. A server may be at work on the directory.

import { PRINCIPAL_ARN, principalOf, readPrincipals } from "../auth/principals.ts";
import type { Principal } from "../auth/principals.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import { KmsError } from "../errors.ts";
import { keyArn } from "../keys/key-arn.ts";
import type { GrantRecord, KeyRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { requireDatabase } from "../store/database.ts";
import { aliasFromRow, grantFromRow, keyFromRows } from "../store/rows.ts";
import { openToRead } from "../upkeep/verify.ts";
import { factsOf } from "./condition-keys.ts";
import { decide, mismatchOf, namesPrincipal } from "./decision.ts";
import type { Decision, Question } from "./decision.ts";
import { parsePolicy, readPolicy } from "./policy.ts";
import type { Statement } from "./policy.ts";

/** The key that a request would be about: one that is stored, or only a policy that some key might have. */
export type ExplainedKey =
  | {
      readonly kind: "stored";
      readonly key: KeyRecord;
      readonly aliases: readonly string[];
      readonly grants: readonly GrantRecord[];
    }
  | { readonly kind: "policy"; readonly text: string };

/** A request that nobody has made. */
export interface Supposition {
  readonly key: ExplainedKey;
  readonly principalArn: string;
  /** The server's principals file, where the principal's own policies are; null: it has none. */
  readonly principalsFile: string | null;
  /** `kms:Decrypt` and its like. */
  readonly action: string;
  readonly context: EncryptionContext;
  /** Members of the operation's input that conditions ask about, such as `SigningAlgorithm`. */
  readonly input: Readonly<Record<string, string>>;
  readonly sourceIp: string;
}

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

/** A policy without a key is asked about this one. */
const NO_KEY = "00000000-0000-0000-0000-000000000000";

/** @throws KmsError `option-invalid` for a malformed policy or ARN, `credentials-malformed`. */
export function explain(supposition: Supposition): Explanation {
  try {
    return explained(questionOf(supposition));
  } catch (error) {
    if (error instanceof AwsError) throw new KmsError("option-invalid", error.message, { cause: error });
    throw error;
  }
}

function questionOf({ key, principalArn, principalsFile, action, context, input, sourceIp }: Supposition): Question {
  const principal = principalFor(principalArn, principalsFile);
  const stored = key.kind === "stored" ? key : null;
  const region = stored?.key.region ?? "eu-west-1";
  return {
    principal,
    action,
    resource: stored?.key.arn ?? keyArn(region, principal.account, NO_KEY),
    keyPolicy: parsePolicy(key.kind === "stored" ? key.key.policy : key.text),
    identityPolicies: principal.policies.flatMap((policy) => readPolicy(policy, "identity")),
    grants: stored?.grants ?? [],
    context,
    facts: () =>
      factsOf({
        principal,
        region,
        now: Date.now(),
        remoteAddress: sourceIp,
        input,
        key: stored?.key ?? null,
        aliases: stored?.aliases ?? [],
        context,
      }),
  };
}

function principalFor(arn: string, file: string | null): Principal {
  const known = file === null ? undefined : readPrincipals(file).find(({ principal }) => principal.arn === arn);
  if (known !== undefined) return known.principal;
  const checked = PRINCIPAL_ARN.safeParse(arn);
  if (!checked.success)
    throw new KmsError("option-invalid", `the principal ${checked.error.issues[0]?.message ?? "is not valid"}.`);
  return principalOf(arn, []);
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
    const names = aliases
      .filter((alias) => alias.region === key.region && alias.keyId === key.keyId)
      .map((alias) => alias.name);
    return { kind: "stored", key, aliases: names, grants };
  } finally {
    await db.destroy();
  }
}
