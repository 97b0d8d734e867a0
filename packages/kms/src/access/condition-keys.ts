// What policy conditions can ask about a request. Source: AWS KMS Developer Guide, "AWS KMS condition keys", and
// IAM User Guide, "AWS global condition context keys". Keys of what does not exist here are always absent:
// kms:ViaService, aws:CalledVia, aws:SourceArn (no service calls for others), kms:RecipientAttestation:* (no enclaves),
// aws:SourceVpc, aws:PrincipalOrgID, aws:PrincipalTag/*, aws:MultiFactorAuthPresent.

import type { Principal } from "../auth/principals.ts";
import { DAY } from "../clock.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { GrantRecord, KeyRecord } from "../keys/key-record.ts";
import { FactSheet } from "./facts.ts";
import type { Facts, Stated } from "./facts.ts";
import { REQUEST_KEYS } from "./request-keys.ts";

/** What a permission is asked for with, beside the input of the operation. */
export interface RequestDetails {
  readonly context?: EncryptionContext;
  /** The constraints of the grant that is made or retired. */
  readonly constraints?: GrantRecord["constraints"];
  /** Whether ReEncrypt goes back to the key that the ciphertext is under. */
  readonly reEncryptOnSameKey?: boolean;
}

/** What the facts are made of. */
export interface FactSources extends RequestDetails {
  readonly principal: Principal;
  /** `kms:Encrypt` and its like. */
  readonly action: string;
  readonly region: string;
  /** Milliseconds. */
  readonly now: number;
  readonly remoteAddress: string;
  readonly secureTransport: boolean;
  readonly userAgent: string | null;
  readonly input: Readonly<Record<string, unknown>>;
  readonly key: KeyRecord | null;
  /** Names of the aliases of the key. */
  readonly aliases: readonly string[];
  /** When the key was last used in a cryptographic operation, in milliseconds; null: never. */
  readonly lastUsedAt: number | null;
}

/** All facts of a request. */
export function factsOf(sources: FactSources): Facts {
  const sheet = new FactSheet();
  const action = sources.action.replace(/^kms:/, "");
  stateParameters(sheet, action, sources);
  stateKey(sheet, action, sources);
  stateGrant(sheet, action, sources);
  stateTags(sheet, action, sources);
  stateContext(sheet, sources);
  stateCaller(sheet, action, sources);
  return sheet.facts;
}

function stateParameters(sheet: FactSheet, action: string, { input, key }: FactSources): void {
  for (const row of REQUEST_KEYS) {
    if (!row.actions.includes(action)) continue;
    const given = row.members.map((member) => input[member]).find((value) => value !== undefined);
    const shown = given === undefined || row.show === undefined ? given : row.show(given);
    const value = shown ?? (typeof row.preset === "function" ? row.preset(key) : row.preset);
    const isNull = given === undefined && row.nullIfLeftOut === true;
    for (const name of row.keys)
      if (row.multivalued) sheet.multi(name, [value ?? []].flat());
      else sheet.single(name, value as Stated, { isNull });
  }
}

/** What AWS asks the days since the last use of. */
const ON_UNUSED_KEYS: ReadonlySet<string> = new Set(["DisableKey", "ScheduleKeyDeletion"]);

function stateKey(sheet: FactSheet, action: string, { key, aliases, lastUsedAt, now, ...more }: FactSources): void {
  sheet.single("kms:ReEncryptOnSameKey", more.reEncryptOnSameKey);
  if (key === null) return;
  for (const name of ["kms:KeySpec", "kms:CustomerMasterKeySpec"]) sheet.single(name, key.spec);
  for (const name of ["kms:KeyUsage", "kms:CustomerMasterKeyUsage"]) sheet.single(name, key.usage);
  sheet.single("kms:KeyOrigin", key.origin);
  sheet.single("kms:MultiRegion", key.primaryRegion !== null);
  if (key.primaryRegion !== null)
    sheet.single("kms:MultiRegionKeyType", key.primaryRegion === key.region ? "PRIMARY" : "REPLICA");
  sheet.multi("kms:ResourceAliases", aliases);
  sheet.named(
    "aws:ResourceTag/",
    key.tags.map((tag) => [tag.key, tag.value]),
  );
  if (ON_UNUSED_KEYS.has(action))
    sheet.single("kms:TrailingDaysWithoutKeyUsage", Math.floor((now - (lastUsedAt ?? key.createdAt)) / DAY));
}

const CONSTRAINT_NAMES = { equals: "EncryptionContextEquals", subset: "EncryptionContextSubset" } as const;
const MAY_BE_FOR_A_SERVICE: ReadonlySet<string> = new Set(["CreateGrant", "ListGrants", "RevokeGrant"]);

function stateGrant(sheet: FactSheet, action: string, { constraints = {} }: FactSources): void {
  if (MAY_BE_FOR_A_SERVICE.has(action)) sheet.single("kms:GrantIsForAWSResource", false);
  const kinds = (["equals", "subset"] as const).filter((kind) => constraints[kind] !== undefined);
  sheet.multi(
    "kms:GrantConstraintType",
    kinds.map((kind) => CONSTRAINT_NAMES[kind]),
  );
  sheet.single("kms:GrantConstraintSourceArn", constraints.sourceArn);
}

interface Tag {
  readonly TagKey: string;
  readonly TagValue: string;
}

function stateTags(sheet: FactSheet, action: string, { input }: FactSources): void {
  const tags = ["CreateKey", "TagResource"].includes(action) ? ((input["Tags"] ?? []) as readonly Tag[]) : [];
  const removed = action === "UntagResource" ? ((input["TagKeys"] ?? []) as readonly string[]) : [];
  sheet.named(
    "aws:RequestTag/",
    tags.map((tag) => [tag.TagKey, tag.TagValue]),
  );
  sheet.multi("aws:TagKeys", [...tags.map((tag) => tag.TagKey), ...removed]);
}

/** The context of a cryptographic operation, or the one that a grant's constraints ask for. */
function stateContext(sheet: FactSheet, { context = {}, constraints = {} }: FactSources): void {
  const pairs = [context, constraints.equals ?? {}, constraints.subset ?? {}].flatMap((from) => Object.entries(from));
  sheet.named("kms:EncryptionContext:", pairs);
  sheet.multi("kms:EncryptionContextKeys", [...new Set(pairs.map(([name]) => name))]);
}

/** Requests that the Service Authorization Reference lists without kms:CallerAccount. */
const WITHOUT_CALLER_ACCOUNT: ReadonlySet<string> = new Set([
  "GenerateRandom",
  "ListAliases",
  "ListKeys",
  "ListRetirableGrants",
]);

/** What aws:PrincipalType calls them. */
const PRINCIPAL_TYPES = { root: "Account", user: "User", role: "AssumedRole" } as const;

function stateCaller(sheet: FactSheet, action: string, { principal, region, now, ...more }: FactSources): void {
  const name = principal.arn.split("/").at(-1);
  if (!WITHOUT_CALLER_ACCOUNT.has(action)) sheet.single("kms:CallerAccount", principal.account);
  sheet.single("aws:PrincipalArn", principal.arn);
  sheet.single("aws:PrincipalAccount", principal.account);
  sheet.single("aws:PrincipalType", PRINCIPAL_TYPES[principal.kind]);
  sheet.single("aws:PrincipalIsAWSService", false);
  // Principals here have no unique id of their own: the name stands for it, as it does in the audit.
  sheet.single("aws:userid", principal.kind === "root" ? principal.account : name);
  if (principal.kind === "user") sheet.single("aws:username", name);
  sheet.single("aws:ViaAWSService", false);
  sheet.single("aws:ResourceAccount", principal.account);
  sheet.single("aws:RequestedRegion", region);
  sheet.single("aws:SourceIp", more.remoteAddress);
  sheet.single("aws:UserAgent", more.userAgent);
  sheet.single("aws:SecureTransport", more.secureTransport);
  sheet.single("aws:CurrentTime", new Date(now).toISOString());
  sheet.single("aws:EpochTime", Math.floor(now / 1000));
}
