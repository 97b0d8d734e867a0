// What an operation may do with a key: by the key's state, as a table, by its usage and its origin. Source: AWS KMS
// Developer Guide, "Key states of AWS KMS keys".

import { AwsError, invalidState, unsupported } from "../protocol/aws-error.ts";
import { currentBackingKey } from "./key-record.ts";
import type { KeyRecord } from "./key-record.ts";
import { algorithmsOf } from "./key-spec.ts";
import type { KeyUsage } from "./key-spec.ts";

export type KeyState = "Enabled" | "Disabled" | "PendingDeletion" | "PendingReplicaDeletion" | "PendingImport";

/**
 * The state that clients see. A deletion outranks everything; a key with imported material is pending
 * import while any material that decryption may need is gone.
 */
export function stateOf(key: KeyRecord): KeyState {
  if (key.deletion !== null) return key.deletion.waitsForReplicas ? "PendingReplicaDeletion" : "PendingDeletion";
  if (key.origin === "EXTERNAL" && !hasAllMaterial(key)) return "PendingImport";
  return key.enabled ? "Enabled" : "Disabled";
}

function hasAllMaterial(key: KeyRecord): boolean {
  return (
    currentBackingKey(key) !== null &&
    key.backingKeys.every((backing) => backing.state === "pending" || backing.sealed !== null)
  );
}

/** How an operation takes a key's state. */
interface StateRule {
  /** Whether the operation may be done while the key is disabled. */
  readonly disabled: boolean;
  readonly pendingDeletion: boolean;
  readonly pendingImport: boolean;
}

/** Uses the material: the key must be enabled. */
const USE: StateRule = { disabled: false, pendingDeletion: false, pendingImport: false };
/** Changes the key: anything but a key on its way out. */
const CHANGE: StateRule = { disabled: true, pendingDeletion: false, pendingImport: true };
/** Switches the key on and off. */
const SWITCH: StateRule = { disabled: true, pendingDeletion: false, pendingImport: false };
/** Only looks, or undoes a permission. */
const LOOK: StateRule = { disabled: true, pendingDeletion: true, pendingImport: true };

/** Every operation on an existing key. */
export type KeyOperation =
  | "Encrypt"
  | "Decrypt"
  | "ReEncrypt"
  | "GenerateDataKey"
  | "GenerateDataKeyWithoutPlaintext"
  | "GenerateDataKeyPair"
  | "GenerateDataKeyPairWithoutPlaintext"
  | "Sign"
  | "Verify"
  | "GenerateMac"
  | "VerifyMac"
  | "GetPublicKey"
  | "DeriveSharedSecret"
  | "Encapsulate"
  | "Decapsulate"
  | "CreateGrant"
  | "ReplicateKey"
  | "UpdatePrimaryRegion"
  | "RotateKeyOnDemand"
  | "EnableKeyRotation"
  | "DisableKeyRotation"
  | "EnableKey"
  | "DisableKey"
  | "CreateAlias"
  | "UpdateAlias"
  | "ScheduleKeyDeletion"
  | "TagResource"
  | "UntagResource"
  | "UpdateKeyDescription"
  | "GetParametersForImport"
  | "ImportKeyMaterial"
  | "DeleteAlias"
  | "DescribeKey"
  | "GetKeyPolicy"
  | "GetKeyRotationStatus"
  | "GetKeyLastUsage"
  | "ListAliases"
  | "ListGrants"
  | "ListKeyPolicies"
  | "ListKeyRotations"
  | "ListResourceTags"
  | "PutKeyPolicy"
  | "RetireGrant"
  | "RevokeGrant"
  | "DeleteImportedKeyMaterial"
  | "CancelKeyDeletion";

/** How each takes the states. CancelKeyDeletion, which wants a pending one, has its own check. */
export const STATE_RULES: Readonly<Record<KeyOperation, StateRule>> = {
  Encrypt: USE,
  Decrypt: USE,
  ReEncrypt: USE,
  GenerateDataKey: USE,
  GenerateDataKeyWithoutPlaintext: USE,
  GenerateDataKeyPair: USE,
  GenerateDataKeyPairWithoutPlaintext: USE,
  Sign: USE,
  Verify: USE,
  GenerateMac: USE,
  VerifyMac: USE,
  GetPublicKey: USE,
  DeriveSharedSecret: USE,
  Encapsulate: USE,
  Decapsulate: USE,
  CreateGrant: USE,
  ReplicateKey: USE,
  UpdatePrimaryRegion: USE,
  RotateKeyOnDemand: USE,
  EnableKeyRotation: USE,
  DisableKeyRotation: USE,
  EnableKey: SWITCH,
  DisableKey: SWITCH,
  CreateAlias: CHANGE,
  UpdateAlias: CHANGE,
  ScheduleKeyDeletion: CHANGE,
  TagResource: CHANGE,
  UntagResource: CHANGE,
  UpdateKeyDescription: CHANGE,
  GetParametersForImport: CHANGE,
  ImportKeyMaterial: CHANGE,
  DeleteAlias: LOOK,
  DescribeKey: LOOK,
  GetKeyPolicy: LOOK,
  GetKeyRotationStatus: LOOK,
  GetKeyLastUsage: LOOK,
  ListAliases: LOOK,
  ListGrants: LOOK,
  ListKeyPolicies: LOOK,
  ListKeyRotations: LOOK,
  ListResourceTags: LOOK,
  PutKeyPolicy: LOOK,
  RetireGrant: LOOK,
  RevokeGrant: LOOK,
  DeleteImportedKeyMaterial: LOOK,
  CancelKeyDeletion: LOOK,
};

/** Throws what AWS throws when `operation` finds `key` in a state that it does not take. */
export function requireState(key: KeyRecord, operation: KeyOperation): void {
  const rule = STATE_RULES[operation];
  switch (stateOf(key)) {
    case "Enabled":
      return;
    case "Disabled":
      if (!rule.disabled) throw new AwsError("DisabledException", `${key.arn} is disabled.`);
      return;
    case "PendingImport":
      if (!rule.pendingImport) throw invalidState(`${key.arn} is pending import.`);
      return;
    case "PendingDeletion":
      if (!rule.pendingDeletion) throw invalidState(`${key.arn} is pending deletion.`);
      return;
    case "PendingReplicaDeletion":
      if (!rule.pendingDeletion) throw invalidState(`${key.arn} is pending replica deletion.`);
      return;
  }
}

/** @throws AwsError InvalidKeyUsageException if the key is not made for this. */
export function requireUsage(key: KeyRecord, usage: KeyUsage, operation: string): void {
  if (key.usage === usage) return;
  throw new AwsError(
    "InvalidKeyUsageException",
    `${key.arn} key usage is ${key.usage} which is not valid for ${operation}.`,
  );
}

/** @throws AwsError InvalidKeyUsageException if the key's spec does not have the algorithm. */
export function requireAlgorithm(key: KeyRecord, algorithm: string): void {
  if (algorithmsOf(key.spec, key.usage).includes(algorithm)) return;
  throw new AwsError("InvalidKeyUsageException", `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`);
}

/** @throws AwsError UnsupportedOperationException if the key's material does not come from there. */
export function requireOrigin(key: KeyRecord, origin: KeyRecord["origin"]): void {
  if (key.origin === origin) return;
  throw unsupported(`${key.arn} origin is ${key.origin} which is not valid for this operation.`);
}
