// Which parameters of which operations policy conditions see, and what they see when a parameter is left out: its
// default. Source: AWS KMS Developer Guide, "AWS KMS condition keys", and Service Authorization Reference, "Actions,
// resources, and condition keys for AWS Key Management Service".

import type { KeyRecord } from "../keys/key-record.ts";

/** A condition key that shows a parameter of a request. */
export interface RequestKey {
  /** The name, and names of old that mean the same. */
  readonly keys: readonly string[];
  /** Permissions, without `kms:`, whose requests have it. */
  readonly actions: readonly string[];
  /** Members of the input; the first that is given counts. */
  readonly members: readonly string[];
  /** The value of a parameter that is left out; absent: there is none, and the condition sees no value. */
  readonly preset?: string | ((key: KeyRecord | null) => number);
  /** Whether `Null` still holds while the default is seen. AWS documents it for two keys. */
  readonly nullIfLeftOut?: true;
  readonly multivalued?: true;
  /** From what is in the request to what conditions see; undefined: nothing. */
  readonly show?: (value: unknown) => unknown;
}

const GENERATES_DATA_KEYS = ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"] as const;
const GENERATES_PAIRS = ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"] as const;

/** Cryptographic operations with one key, DescribeKey and GetPublicKey. */
const BY_KEY_ID = [
  ...["Encrypt", "Decrypt", ...GENERATES_DATA_KEYS, ...GENERATES_PAIRS],
  ...["Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate"],
  ...["DescribeKey", "GetPublicKey"],
];

/** Permissions that are asked for without a key: what only policies of the principal can give. */
export const WITHOUT_KEY: ReadonlySet<string> = new Set([
  "ConnectCustomKeyStore",
  "CreateCustomKeyStore",
  "CreateKey",
  "DeleteCustomKeyStore",
  "DescribeCustomKeyStores",
  "DisconnectCustomKeyStore",
  "GenerateRandom",
  "ListAliases",
  "ListKeys",
  "ListRetirableGrants",
  "UpdateCustomKeyStore",
]);

const SYMMETRIC = "SYMMETRIC_DEFAULT";
const DEFAULT_ROTATION_DAYS = 365;

/** The name of an alias or an alias ARN; any other way to name a key is no alias. */
const aliasName = (reference: unknown): string | undefined =>
  /(?:^|:)(alias\/[^:]*)$/.exec(typeof reference === "string" ? reference : "")?.[1];

/** Seconds since 1970, as AWS shows the date; the server's own dates are in milliseconds. */
const inSeconds = (instant: unknown): number => Math.floor(Number(instant) / 1000);

const one = (
  keys: string | readonly string[],
  actions: string | readonly string[],
  members: string | readonly string[],
  more: Pick<RequestKey, "preset" | "nullIfLeftOut" | "multivalued" | "show"> = {},
): RequestKey => ({ keys: [keys].flat(), actions: [actions].flat(), members: [members].flat(), ...more });

/** Every condition key that shows a parameter. */
export const REQUEST_KEYS: readonly RequestKey[] = [
  one("kms:BypassPolicyLockoutSafetyCheck", ["CreateKey", "PutKeyPolicy"], "BypassPolicyLockoutSafetyCheck", {
    preset: "false",
    nullIfLeftOut: true,
  }),
  one(["kms:KeySpec", "kms:CustomerMasterKeySpec"], "CreateKey", ["KeySpec", "CustomerMasterKeySpec"], {
    preset: SYMMETRIC,
  }),
  one(["kms:KeyUsage", "kms:CustomerMasterKeyUsage"], "CreateKey", "KeyUsage", { preset: "ENCRYPT_DECRYPT" }),
  one("kms:KeyOrigin", "CreateKey", "Origin", { preset: "AWS_KMS" }),
  one("kms:MultiRegion", "CreateKey", "MultiRegion", { preset: "false" }),
  one("kms:MultiRegionKeyType", "CreateKey", "MultiRegion", {
    show: (value) => (String(value) === "true" ? "PRIMARY" : undefined),
  }),

  one("kms:EncryptionAlgorithm", ["Encrypt", "Decrypt"], "EncryptionAlgorithm", { preset: SYMMETRIC }),
  one("kms:EncryptionAlgorithm", "ReEncryptFrom", "SourceEncryptionAlgorithm", { preset: SYMMETRIC }),
  one("kms:EncryptionAlgorithm", "ReEncryptTo", "DestinationEncryptionAlgorithm", { preset: SYMMETRIC }),
  one("kms:EncryptionAlgorithm", [...GENERATES_DATA_KEYS, ...GENERATES_PAIRS], [], { preset: SYMMETRIC }),
  one("kms:DataKeyPairSpec", GENERATES_PAIRS, "KeyPairSpec"),
  one("kms:SigningAlgorithm", ["Sign", "Verify"], "SigningAlgorithm"),
  one("kms:MessageType", ["Sign", "Verify"], "MessageType", { preset: "RAW" }),
  one("kms:MacAlgorithm", ["GenerateMac", "VerifyMac"], "MacAlgorithm"),
  one("kms:KeyAgreementAlgorithm", "DeriveSharedSecret", "KeyAgreementAlgorithm"),

  one("kms:RequestAlias", BY_KEY_ID, "KeyId", { show: aliasName }),
  one("kms:RequestAlias", "ReEncryptFrom", "SourceKeyId", { show: aliasName }),
  one("kms:RequestAlias", "ReEncryptTo", "DestinationKeyId", { show: aliasName }),

  one("kms:GranteePrincipal", "CreateGrant", "GranteePrincipal"),
  one("kms:GranteeServicePrincipal", "CreateGrant", "GranteeServicePrincipal"),
  one("kms:RetiringPrincipal", "CreateGrant", "RetiringPrincipal"),
  one("kms:RetiringServicePrincipal", "CreateGrant", "RetiringServicePrincipal"),
  one("kms:GrantOperations", "CreateGrant", "Operations", { multivalued: true }),

  one("kms:WrappingAlgorithm", "GetParametersForImport", "WrappingAlgorithm"),
  one("kms:WrappingKeySpec", "GetParametersForImport", "WrappingKeySpec"),
  one("kms:ExpirationModel", "ImportKeyMaterial", "ExpirationModel", {
    preset: "KEY_MATERIAL_EXPIRES",
    nullIfLeftOut: true,
  }),
  one("kms:ValidTo", "ImportKeyMaterial", "ValidTo", { show: inSeconds }),

  one("kms:PrimaryRegion", "UpdatePrimaryRegion", "PrimaryRegion"),
  one("kms:ReplicaRegion", "ReplicateKey", "ReplicaRegion"),
  // Left out for a key that rotates already, the period stays as it is (API_EnableKeyRotation).
  one("kms:RotationPeriodInDays", "EnableKeyRotation", "RotationPeriodInDays", {
    preset: (key) => key?.automaticRotation?.periodDays ?? DEFAULT_ROTATION_DAYS,
  }),
  one("kms:ScheduleKeyDeletionPendingWindowInDays", "ScheduleKeyDeletion", "PendingWindowInDays", { preset: "30" }),
];
