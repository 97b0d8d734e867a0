// Who does what with the keys of a Strongroom: each role with exactly the permissions that it needs, as a table. The
// documents that are made of it are in documents.ts; the access keys that this server makes for two of the roles are in
// auth/strongroom-users.ts.

/** A name in {@link ROLES}. */
export type Role = "service" | "writer" | "operator" | "auditor";

/** What a role may do. */
export interface RolePermissions {
  readonly meaning: string;
  /** On the keys, under an encryption context of {@link CONTEXT_FORMS} and no other. */
  readonly underContext: readonly string[];
  /** On the keys. */
  readonly onKeys: readonly string[];
  /** On aliases, beside the permission of the same name on the key. Only IAM policies give it. */
  readonly onAliases: readonly string[];
  /** About no key. Only IAM policies give it. */
  readonly onAccount: readonly string[];
}

/** An encryption context by the names of its pairs: all that are needed, perhaps the optional ones, and no others. */
export interface ContextForm {
  /** End of a statement's Sid. */
  readonly sid: string;
  readonly needed: readonly string[];
  readonly optional: readonly string[];
  /** Only for roles that may open what they wrap; left out: for all that use keys. */
  readonly isForReaders?: true;
}

const OF_RECORDS: readonly string[] = [
  "strongroom:collection",
  "strongroom:id",
  "strongroom:subject",
  "strongroom:version",
];

/**
 * The contexts of a Strongroom: those that the vault makes. A test of the command, which knows both packages, holds
 * them to it.
 */
export const CONTEXT_FORMS: readonly ContextForm[] = [
  // Of a version whose context names neither vault nor opaque ids.
  { sid: "UnderContext", needed: OF_RECORDS, optional: [] },
  { sid: "UnderVaultContext", needed: [...OF_RECORDS, "strongroom:vault"], optional: ["strongroom:about"] },
  // Of a key in the key store, as a decrypt-only branch key has it (AWS Encryption SDK specification, branch keystore).
  {
    sid: "UnderKeyContext",
    needed: ["branch-key-id", "create-time", "hierarchy-version", "kms-arn", "tablename", "type"],
    optional: [],
    // Whoever may wrap such a key and write to the key store can plant one that he knows, and others would seal under
    // it. A vault with a key store opens keys for each write, so that nobody else needs it.
    isForReaders: true,
  },
];

/** What tells about keys, and nothing of what is under them. */
const LOOKING: readonly string[] = [
  "DescribeKey",
  "GetKeyLastUsage",
  "GetKeyPolicy",
  "GetKeyRotationStatus",
  "ListGrants",
  "ListKeyPolicies",
  "ListKeyRotations",
  "ListResourceTags",
];

const ALIASES: readonly string[] = ["CreateAlias", "DeleteAlias", "UpdateAlias"];

/** The roles. */
export const ROLES: Readonly<Record<Role, RolePermissions>> = {
  service: {
    meaning: "stores and reads records: `strongroom serve`",
    // To move a wrap to another key inside the KMS; whoever may not opens it, and wraps what it holds.
    underContext: ["Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"],
    // By its rotations it is told how old a key's material is.
    onKeys: ["DescribeKey", "ListKeyRotations"],
    onAliases: [],
    onAccount: [],
  },
  writer: {
    meaning: "stores records and can read none",
    underContext: ["Encrypt", "GenerateDataKey"],
    onKeys: ["DescribeKey"],
    onAliases: [],
    onAccount: [],
  },
  operator: {
    meaning: "makes and keeps the keys, and can neither use nor delete them",
    underContext: [],
    onKeys: [
      ...LOOKING,
      ...ALIASES,
      "CancelKeyDeletion",
      "DisableKey",
      "DisableKeyRotation",
      "EnableKey",
      "EnableKeyRotation",
      // KMS makes no key whose policy its maker could not change (the lockout safety check of CreateKey).
      "PutKeyPolicy",
      "RevokeGrant",
      "RotateKeyOnDemand",
      "TagResource",
      "UntagResource",
      "UpdateKeyDescription",
    ],
    onAliases: ALIASES,
    onAccount: ["CreateKey", "ListAliases", "ListKeys"],
  },
  auditor: {
    meaning: "looks at keys, policies and grants, and changes nothing",
    underContext: [],
    onKeys: LOOKING,
    onAliases: [],
    onAccount: ["ListAliases", "ListKeys"],
  },
};

/** The roles' names, in the order of the table. */
export const ROLE_NAMES: readonly Role[] = Object.keys(ROLES) as Role[];

/**
 * What a key policy leaves to the account itself, and so to its IAM policies: everything but the use of the key, and
 * CreateGrant, which can give its use away.
 */
export const ACCOUNT_KEEPS: readonly string[] = [
  ...ROLES.operator.onKeys,
  "DeleteImportedKeyMaterial",
  "ScheduleKeyDeletion",
].toSorted();
