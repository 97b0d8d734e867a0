// The permissions that every operation needs. Source: AWS KMS API Reference, "Required permissions" of each operation;
// of RetireGrant, AWS KMS Developer Guide, "Retiring and revoking grants".

/** One permission, on one of the things that the request is about (`resources` of requests.ts). */
export interface Permission {
  readonly action: string;
  readonly on: string;
  /** `key policy`: a key policy or, where it hands over to the account, an IAM policy. */
  readonly by: "key policy" | "IAM policy";
}

const onKey = (action: string, on = "key"): Permission => ({ action, on, by: "key policy" });
const byIam = (action: string, on = "everything"): Permission => ({ action, on, by: "IAM policy" });

/** Operations that need the permission of their own name on their key, and nothing else. */
const ON_THEIR_KEY = [
  "CancelKeyDeletion",
  "CreateGrant",
  "Decapsulate",
  "Decrypt",
  "DeleteImportedKeyMaterial",
  "DeriveSharedSecret",
  "DescribeKey",
  "DisableKey",
  "DisableKeyRotation",
  "EnableKey",
  "EnableKeyRotation",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "GetKeyLastUsage",
  "GetKeyPolicy",
  "GetKeyRotationStatus",
  "GetParametersForImport",
  "GetPublicKey",
  "ImportKeyMaterial",
  "ListGrants",
  "ListKeyPolicies",
  "ListKeyRotations",
  "ListResourceTags",
  "PutKeyPolicy",
  "RevokeGrant",
  "RotateKeyOnDemand",
  "ScheduleKeyDeletion",
  "Sign",
  "TagResource",
  "UntagResource",
  "UpdateKeyDescription",
  "Verify",
  "VerifyMac",
];

/** Operations about no key. */
const ON_THE_ACCOUNT = [
  "ConnectCustomKeyStore",
  "CreateCustomKeyStore",
  "CreateKey",
  "DeleteCustomKeyStore",
  "DescribeCustomKeyStores",
  "DisconnectCustomKeyStore",
  "GenerateRandom",
  "ListAliases",
  "ListKeys",
  "UpdateCustomKeyStore",
];

/** A request (requests.ts) and every permission that it needs. */
export const PERMISSIONS: Readonly<Record<string, readonly Permission[]>> = {
  ...Object.fromEntries(ON_THEIR_KEY.map((operation) => [operation, [onKey(`kms:${operation}`)]])),
  ...Object.fromEntries(ON_THE_ACCOUNT.map((operation) => [operation, [byIam(`kms:${operation}`)]])),
  CreateAlias: [byIam("kms:CreateAlias", "alias"), onKey("kms:CreateAlias")],
  "CreateKey with Tags": [byIam("kms:CreateKey"), byIam("kms:TagResource", "new key")],
  DeleteAlias: [byIam("kms:DeleteAlias", "alias"), onKey("kms:DeleteAlias")],
  ListRetirableGrants: [byIam("kms:ListRetirableGrants", "retiring principal")],
  ReEncrypt: [onKey("kms:ReEncryptFrom", "source key"), onKey("kms:ReEncryptTo", "destination key")],
  ReplicateKey: [onKey("kms:ReplicateKey"), byIam("kms:CreateKey")],
  "ReplicateKey with Tags": [onKey("kms:ReplicateKey"), byIam("kms:CreateKey"), byIam("kms:TagResource", "new key")],
  // For those whom the grant itself does not name.
  RetireGrant: [byIam("kms:RetireGrant", "key")],
  UpdateAlias: [
    byIam("kms:UpdateAlias", "alias"),
    onKey("kms:UpdateAlias", "current key"),
    onKey("kms:UpdateAlias", "new key"),
  ],
  UpdatePrimaryRegion: [
    onKey("kms:UpdatePrimaryRegion", "primary key"),
    onKey("kms:UpdatePrimaryRegion", "replica key"),
  ],
};
