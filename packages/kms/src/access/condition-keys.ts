// What policy conditions can ask about a request. Source: AWS KMS Developer Guide, "AWS KMS condition keys", and
// IAM User Guide, "AWS global condition context keys".

import type { Principal } from "../auth/principals.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import type { Facts } from "./condition-operators.ts";

/** From a member of an operation's input to the condition key that shows it. */
const INPUT_KEYS: Readonly<Record<string, string>> = {
  BypassPolicyLockoutSafetyCheck: "kms:BypassPolicyLockoutSafetyCheck",
  CustomerMasterKeySpec: "kms:KeySpec",
  EncryptionAlgorithm: "kms:EncryptionAlgorithm",
  ExpirationModel: "kms:ExpirationModel",
  GranteePrincipal: "kms:GranteePrincipal",
  KeyAgreementAlgorithm: "kms:KeyAgreementAlgorithm",
  KeyPairSpec: "kms:DataKeyPairSpec",
  KeyUsage: "kms:KeyUsage",
  MacAlgorithm: "kms:MacAlgorithm",
  MessageType: "kms:MessageType",
  MultiRegion: "kms:MultiRegion",
  Operations: "kms:GrantOperations",
  Origin: "kms:KeyOrigin",
  PendingWindowInDays: "kms:ScheduleKeyDeletionPendingWindowInDays",
  PrimaryRegion: "kms:PrimaryRegion",
  ReplicaRegion: "kms:ReplicaRegion",
  RetiringPrincipal: "kms:RetiringPrincipal",
  RotationPeriodInDays: "kms:RotationPeriodInDays",
  SigningAlgorithm: "kms:SigningAlgorithm",
  WrappingAlgorithm: "kms:WrappingAlgorithm",
  WrappingKeySpec: "kms:WrappingKeySpec",
};

/** What the facts are made of. */
export interface FactSources {
  readonly principal: Principal;
  readonly region: string;
  readonly now: number;
  readonly remoteAddress: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly key: KeyRecord | null;
  /** Names of the aliases of the key. */
  readonly aliases: readonly string[];
  readonly context: EncryptionContext;
}

/** All facts of a request. */
export function factsOf(sources: FactSources): Facts {
  const facts = new Map<string, readonly string[]>();
  const put = (name: string, ...values: readonly unknown[]): void => {
    facts.set(name.toLowerCase(), values.map(String));
  };
  for (const [member, name] of Object.entries(INPUT_KEYS)) {
    const value = sources.input[member];
    if (value !== undefined) put(name, ...(Array.isArray(value) ? (value as unknown[]) : [value]));
  }
  putKeyFacts(put, sources);
  putGrantFacts(put, sources.input["Constraints"]);
  putTagFacts(put, sources);
  for (const [key, value] of Object.entries(sources.context)) put(`kms:EncryptionContext:${key}`, value);
  put("kms:EncryptionContextKeys", ...Object.keys(sources.context));
  const named = sources.input["KeyId"];
  const alias = typeof named === "string" ? named.split(/:(?=alias\/)/).at(-1) : undefined;
  if (alias?.startsWith("alias/") === true) put("kms:RequestAlias", alias);
  put("kms:CallerAccount", sources.principal.account);
  put("aws:PrincipalArn", sources.principal.arn);
  put("aws:PrincipalAccount", sources.principal.account);
  if (sources.principal.kind === "user") put("aws:username", sources.principal.arn.split("/").at(-1));
  put("aws:RequestedRegion", sources.region);
  put("aws:SourceIp", sources.remoteAddress);
  put("aws:CurrentTime", new Date(sources.now).toISOString());
  put("aws:EpochTime", Math.floor(sources.now / 1000));
  put("aws:SecureTransport", false);
  return facts;
}

type Put = (name: string, ...values: readonly unknown[]) => void;

function putKeyFacts(put: Put, { key, aliases }: FactSources): void {
  if (key === null) return;
  put("kms:KeySpec", key.spec);
  put("kms:KeyUsage", key.usage);
  put("kms:KeyOrigin", key.origin);
  put("kms:MultiRegion", key.primaryRegion !== null);
  if (key.primaryRegion !== null)
    put("kms:MultiRegionKeyType", key.primaryRegion === key.region ? "PRIMARY" : "REPLICA");
  if (aliases.length > 0) put("kms:ResourceAliases", ...aliases);
  for (const tag of key.tags) put(`aws:ResourceTag/${tag.key}`, tag.value);
}

function putGrantFacts(put: Put, constraints: unknown): void {
  if (typeof constraints !== "object" || constraints === null) return;
  const kinds = ["EncryptionContextEquals", "EncryptionContextSubset"].filter((kind) =>
    Object.hasOwn(constraints, kind),
  );
  if (kinds.length > 0) put("kms:GrantConstraintType", ...kinds);
}

function putTagFacts(put: Put, { input }: FactSources): void {
  const tags = (input["Tags"] ?? []) as readonly { TagKey: string; TagValue: string }[];
  for (const tag of tags) put(`aws:RequestTag/${tag.TagKey}`, tag.TagValue);
  const keys = [...tags.map((tag) => tag.TagKey), ...((input["TagKeys"] ?? []) as readonly string[])];
  if (keys.length > 0) put("aws:TagKeys", ...keys);
}
