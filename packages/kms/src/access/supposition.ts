// A request that nobody has made, as the question that the same request would put: with the facts, the policies and the
// grants that would count.

import { z } from "zod";
import { PRINCIPAL_ARN, principalOf, readPrincipals } from "../auth/principals.ts";
import type { Principal, PrincipalsFile } from "../auth/principals.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import { KmsError } from "../errors.ts";
import { keyArn } from "../keys/key-arn.ts";
import type { GrantRecord, KeyRecord } from "../keys/key-record.ts";
import { factsOf } from "./condition-keys.ts";
import type { RequestDetails } from "./condition-keys.ts";
import type { Question } from "./decision.ts";
import { parsePolicy, readPolicy } from "./policy.ts";
import { WITHOUT_KEY } from "./request-keys.ts";

/** The key that a request would be about: one that is stored, or only a policy that some key might have. */
export type ExplainedKey =
  | {
      readonly kind: "stored";
      readonly key: KeyRecord;
      readonly aliases: readonly string[];
      readonly grants: readonly GrantRecord[];
      /** Milliseconds; null: never. */
      readonly lastUsedAt: number | null;
    }
  | { readonly kind: "policy"; readonly text: string }
  /** For actions that are about no key. */
  | { readonly kind: "none" };

export type StoredKey = ExplainedKey & { readonly kind: "stored" };

/** A request that nobody has made. */
export interface Supposition {
  readonly key: ExplainedKey;
  readonly principalArn: string;
  /** The server's principals file, where the principal's own policies are; null: it has none. */
  readonly principalsFile: PrincipalsFile | null;
  /** `kms:Decrypt` and its like. */
  readonly action: string;
  readonly context: EncryptionContext;
  /** Members of the operation's input that conditions ask about, such as `SigningAlgorithm`. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly sourceIp: string;
}

/** A policy without a key is asked about this one. */
const NO_KEY = "00000000-0000-0000-0000-000000000000";

/** @throws KmsError `option-invalid`, `credentials-malformed`; AwsError for a malformed policy. */
export function questionOf(supposition: Supposition): Question {
  const { key, principalArn, principalsFile, action, context, input, sourceIp } = supposition;
  const principal = principalFor(principalArn, principalsFile);
  const stored = key.kind === "stored" ? key : null;
  const region = stored?.key.region ?? "eu-west-1";
  // Of an action that is about no key, no key policy is asked.
  const onKey = !WITHOUT_KEY.has(action.replace(/^kms:/, ""));
  if (onKey && key.kind === "none")
    throw new KmsError("option-invalid", `${action} is about a key: give --key or --policy.`);
  const policy = key.kind === "stored" ? key.key.policy : key.kind === "policy" ? key.text : "";
  const seen = onKey ? stored : null;
  const details = detailsOf(stored, input);
  const members = input["ValidTo"] === undefined ? input : { ...input, ValidTo: milliseconds(input["ValidTo"]) };
  return {
    principal,
    account: stored?.key.arn.split(":")[4] ?? principal.account,
    action,
    resource: onKey ? (stored?.key.arn ?? keyArn(region, principal.account, NO_KEY)) : "*",
    keyPolicy: onKey ? parsePolicy(policy) : null,
    identityPolicies: principal.policies.flatMap((written) => readPolicy(written, "identity")),
    grants: seen?.grants ?? [],
    context,
    facts: () =>
      factsOf({
        principal,
        action,
        region,
        now: Date.now(),
        remoteAddress: sourceIp,
        secureTransport: false,
        userAgent: null,
        input: members,
        key: seen?.key ?? null,
        aliases: seen?.aliases ?? [],
        lastUsedAt: seen?.lastUsedAt ?? null,
        context,
        ...details,
      }),
  };
}

/** A date as a request has it, in seconds since 1970 or ISO 8601; operations read it in milliseconds. */
const milliseconds = (date: unknown): number =>
  Number.isNaN(Number(date)) ? Date.parse(String(date)) : Number(date) * 1000;

/** What an operation adds to its input: a grant's constraints, and whether ReEncrypt stays with its key. */
function detailsOf(stored: StoredKey | null, input: Readonly<Record<string, unknown>>): RequestDetails {
  const { SourceKeyId: source, DestinationKeyId: destination } = input;
  const constraints = z.looseObject(CONSTRAINTS).safeParse(input["Constraints"]).data;
  const named = [source, destination].filter((reference) => typeof reference === "string");
  return {
    ...(constraints && {
      constraints: {
        ...(constraints.EncryptionContextEquals && { equals: constraints.EncryptionContextEquals }),
        ...(constraints.EncryptionContextSubset && { subset: constraints.EncryptionContextSubset }),
        ...(constraints.SourceArn !== undefined && { sourceArn: constraints.SourceArn }),
      },
    }),
    ...(stored !== null &&
      named.length > 0 && { reEncryptOnSameKey: named.every((reference) => namesOf(stored).includes(reference)) }),
  };
}

const CONSTRAINTS = {
  EncryptionContextEquals: z.record(z.string(), z.string()).optional(),
  EncryptionContextSubset: z.record(z.string(), z.string()).optional(),
  SourceArn: z.string().optional(),
};

/** Every name of a key: id, ARN, its aliases and their ARNs. */
export function namesOf({ key, aliases }: Pick<StoredKey, "key" | "aliases">): readonly string[] {
  const prefix = key.arn.replace(/key\/[^/]*$/, "");
  return [key.keyId, key.arn, ...aliases, ...aliases.map((name) => prefix + name)];
}

function principalFor(arn: string, file: PrincipalsFile | null): Principal {
  const known = file === null ? undefined : readPrincipals(file).find(({ principal }) => principal.arn === arn);
  if (known !== undefined) return known.principal;
  const checked = PRINCIPAL_ARN.safeParse(arn);
  if (!checked.success)
    throw new KmsError("option-invalid", `the principal ${checked.error.issues[0]?.message ?? "is not valid"}.`);
  return principalOf(arn, []);
}
