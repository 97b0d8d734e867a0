// Every condition key, every permission whose requests have it, and what it says of a request that has the parameter
// and of one that leaves it out. Source: AWS KMS Developer Guide, "AWS KMS condition keys", and Service Authorization
// Reference, "Actions, resources, and condition keys for AWS Key Management Service".

import { rows } from "./condition-row.ts";
import type { ConditionRow, ConditionType } from "./condition-row.ts";
import { CRYPTOGRAPHIC } from "./condition-table-cryptographic.ts";
import { ROOT, VALID_TO } from "./requests.ts";

const SYMMETRIC = "SYMMETRIC_DEFAULT";
const RSA = "RSAES_OAEP_SHA_256";
const SIGNING = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const OF_OLD = { CustomerMasterKeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", KeySpec: undefined };
const MAC = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };
const TAGS = { Tags: [{ TagKey: "team", TagValue: "a" }] };
const EQUALS = { Constraints: { EncryptionContextEquals: { team: "a" } } };
const SUBSET = { Constraints: { EncryptionContextSubset: { team: "a" } } };
const SOURCE = "arn:aws:sns:us-east-1:000000000000:a-topic-of-ours";
// A service gets a grant for one resource, which another may retire (API_CreateGrant).
const SERVICE = {
  GranteePrincipal: undefined,
  GranteeServicePrincipal: "s3.amazonaws.com",
  RetiringServicePrincipal: "s3.amazonaws.com",
  Constraints: { SourceArn: SOURCE },
};
const USER = ROOT.replace("root", "user/ann");

const CREATES_KEYS: readonly ConditionRow[] = [
  ...rows("kms:BypassPolicyLockoutSafetyCheck", ["CreateKey", "PutKeyPolicy"], {
    type: "Bool",
    given: [{ BypassPolicyLockoutSafetyCheck: true }, "true", "false"],
    leftOut: ["false", "true"],
  }),
  ...["kms:KeySpec", "kms:CustomerMasterKeySpec"].flatMap((key) => [
    ...rows(key, "CreateKey", { given: [SIGNING, "ECC_NIST_P256", SYMMETRIC], leftOut: [SYMMETRIC, "RSA_2048"] }),
    ...rows(key, "CreateKey", { given: [OF_OLD, "ECC_NIST_P256", SYMMETRIC] }),
  ]),
  ...["kms:KeyUsage", "kms:CustomerMasterKeyUsage"].flatMap((key) =>
    rows(key, "CreateKey", {
      given: [MAC, "GENERATE_VERIFY_MAC", "ENCRYPT_DECRYPT"],
      leftOut: ["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
    }),
  ),
  ...rows("kms:KeyOrigin", "CreateKey", {
    given: [{ Origin: "EXTERNAL" }, "EXTERNAL", "AWS_KMS"],
    leftOut: ["AWS_KMS", "EXTERNAL"],
  }),
  ...rows("kms:MultiRegion", "CreateKey", {
    type: "Bool",
    given: [{ MultiRegion: true }, "true", "false"],
    leftOut: ["false", "true"],
  }),
  ...rows("kms:MultiRegionKeyType", "CreateKey", {
    given: [{ MultiRegion: true }, "PRIMARY", "REPLICA"],
    leftOut: [null, "PRIMARY"],
  }),
  ...(
    [
      ["kms:KeySpec", SYMMETRIC, "RSA_2048"],
      ["kms:KeyUsage", "ENCRYPT_DECRYPT", "SIGN_VERIFY"],
      ["kms:KeyOrigin", "AWS_KMS", "EXTERNAL"],
      ["kms:MultiRegionKeyType", "REPLICA", "PRIMARY"],
      ["aws:RequestedRegion", "eu-west-2", "eu-west-1"],
    ] as const
  ).flatMap(([key, value, other]) => rows(key, "CreateKey", { given: [{}, value, other, "ReplicateKey"] })),
  ...rows("kms:MultiRegion", "CreateKey", { type: "Bool", given: [{}, "true", "false", "ReplicateKey"] }),
];

const GRANTS: readonly ConditionRow[] = [
  ...rows("kms:GranteePrincipal", "CreateGrant", {
    given: [{ GranteePrincipal: ROOT }, ROOT, USER],
  }),
  ...rows("kms:GranteeServicePrincipal", "CreateGrant", {
    given: [SERVICE, "s3.amazonaws.com", "ec2.amazonaws.com"],
    leftOut: [null, "s3.amazonaws.com"],
  }),
  ...rows("kms:RetiringPrincipal", "CreateGrant", {
    given: [{ RetiringPrincipal: ROOT }, ROOT, USER],
    leftOut: [null, ROOT],
  }),
  ...rows("kms:RetiringServicePrincipal", "CreateGrant", {
    given: [{ RetiringServicePrincipal: "s3.amazonaws.com" }, "s3.amazonaws.com", "ec2.amazonaws.com"],
    leftOut: [null, "s3.amazonaws.com"],
  }),
  ...rows("kms:GrantOperations", "CreateGrant", {
    type: "ArrayOfString",
    given: [{ Operations: ["Decrypt", "Encrypt"] }, "Encrypt", "DescribeKey"],
  }),
  ...rows("kms:GrantConstraintType", "CreateGrant", {
    given: [EQUALS, "EncryptionContextEquals", "EncryptionContextSubset"],
    leftOut: [null, "EncryptionContextEquals"],
  }),
  ...rows("kms:GrantConstraintType", "CreateGrant", {
    given: [SUBSET, "EncryptionContextSubset", "EncryptionContextEquals"],
  }),
  ...rows("kms:GrantConstraintType", "RetireGrant", {
    given: [{}, "EncryptionContextEquals", "EncryptionContextSubset", "RetireGrant of a constrained grant"],
    leftOut: [null, "EncryptionContextEquals"],
  }),
  ...rows("kms:GrantConstraintSourceArn", "CreateGrant", {
    type: "ARN",
    given: [{ Constraints: { SourceArn: SOURCE } }, SOURCE, `${SOURCE}-2`],
    leftOut: [null, SOURCE],
  }),
  ...rows("kms:GrantIsForAWSResource", ["CreateGrant", "ListGrants", "RevokeGrant"], {
    type: "Bool",
    leftOut: ["false", "true"],
  }),
];

const LIFECYCLE: readonly ConditionRow[] = [
  ...rows("kms:ScheduleKeyDeletionPendingWindowInDays", "ScheduleKeyDeletion", {
    type: "Numeric",
    given: [{ PendingWindowInDays: 7 }, "7", "30"],
    leftOut: ["30", "7"],
  }),
  ...rows("kms:TrailingDaysWithoutKeyUsage", ["ScheduleKeyDeletion", "DisableKey"], {
    type: "Numeric",
    leftOut: ["0", "90"],
  }),
  ...rows("kms:RotationPeriodInDays", "EnableKeyRotation", {
    type: "Numeric",
    given: [{ RotationPeriodInDays: 100 }, "100", "365"],
    leftOut: ["365", "100"],
  }),
  ...rows("kms:RotationPeriodInDays", "EnableKeyRotation", {
    type: "Numeric",
    given: [{}, "100", "365", "EnableKeyRotation of a key that rotates already"],
  }),
  ...rows("kms:ExpirationModel", "ImportKeyMaterial", {
    given: [
      { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" },
      "KEY_MATERIAL_DOES_NOT_EXPIRE",
      "KEY_MATERIAL_EXPIRES",
      "ImportKeyMaterial that never expires",
    ],
    leftOut: ["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"],
  }),
  ...(["Numeric", "Date"] as const).flatMap((type) =>
    rows("kms:ValidTo", "ImportKeyMaterial", {
      type,
      given: [{ ValidTo: VALID_TO }, String(VALID_TO), String(VALID_TO + 60)],
      leftOut: [null, String(VALID_TO), "ImportKeyMaterial that never expires"],
    }),
  ),
  ...rows("kms:WrappingAlgorithm", "GetParametersForImport", { given: [{ WrappingAlgorithm: RSA }, RSA, "other"] }),
  ...rows("kms:WrappingKeySpec", "GetParametersForImport", {
    given: [{ WrappingKeySpec: "RSA_2048" }, "RSA_2048", "RSA_4096"],
  }),
  ...rows("kms:PrimaryRegion", "UpdatePrimaryRegion", {
    given: [{ PrimaryRegion: "eu-west-2" }, "eu-west-2", "eu-west-1"],
  }),
  ...rows("kms:ReplicaRegion", "ReplicateKey", { given: [{ ReplicaRegion: "eu-west-2" }, "eu-west-2", "eu-west-1"] }),
];

const TAGGING: readonly ConditionRow[] = [
  ...rows("aws:RequestTag/team", ["CreateKey", "TagResource"], { given: [TAGS, "a", "b"] }),
  ...rows("aws:RequestTag/team", "CreateKey", { leftOut: [null, "a"] }),
  ...rows("aws:RequestTag/team", "TagResource", { given: [TAGS, "a", "b", "CreateKey"] }),
  ...rows("aws:RequestTag/team", "TagResource", { given: [TAGS, "a", "b", "ReplicateKey"] }),
  ...rows("aws:TagKeys", ["CreateKey", "TagResource"], { type: "ArrayOfString", given: [TAGS, "team", "other"] }),
  ...rows("aws:TagKeys", "CreateKey", { type: "ArrayOfString", leftOut: [null, "team"] }),
  ...rows("aws:TagKeys", "UntagResource", {
    type: "ArrayOfString",
    given: [{ TagKeys: ["team"] }, "team", "other"],
  }),
];

/** Every row. */
export const CONDITIONS: readonly ConditionRow[] = [
  ...CREATES_KEYS,
  ...CRYPTOGRAPHIC,
  ...GRANTS,
  ...LIFECYCLE,
  ...TAGGING,
];

/** `Null` finds these left out although other operators see the default: AWS's examples of both keys show it. */
export const NULL_IF_LEFT_OUT: ReadonlySet<string> = new Set([
  "kms:BypassPolicyLockoutSafetyCheck",
  "kms:ExpirationModel",
]);

/** Keys that say something of the caller or the moment, whatever is asked; all requests have them. */
export const OF_EVERY_REQUEST: readonly (readonly [key: string, type: ConditionType, value: string, other: string])[] =
  [
    ["aws:PrincipalArn", "ARN", ROOT.replace("root", "user/user-*"), ROOT.replace("root", "role/*")],
    ["aws:PrincipalAccount", "String", ROOT.split(":")[4]!, "111122223333"],
    ["aws:PrincipalType", "String", "User", "Account"],
    ["aws:PrincipalIsAWSService", "Bool", "false", "true"],
    ["aws:ViaAWSService", "Bool", "false", "true"],
    ["aws:ResourceAccount", "String", ROOT.split(":")[4]!, "111122223333"],
    ["aws:SecureTransport", "Bool", "false", "true"],
  ];

/** Keys that say something of the key that a request is about; all requests about a key have them. */
export const OF_EVERY_KEY = [
  "kms:CallerAccount",
  "kms:KeySpec",
  "kms:CustomerMasterKeySpec",
  "kms:KeyUsage",
  "kms:CustomerMasterKeyUsage",
  "kms:KeyOrigin",
  "kms:MultiRegion",
  "kms:MultiRegionKeyType",
  "kms:ResourceAliases",
  "aws:ResourceTag/team",
] as const;

/** Keys of what does not exist here, and so of no request. */
export const OF_NO_REQUEST: readonly string[] = [
  "kms:ViaService",
  "kms:RecipientAttestation:ImageSha384",
  "kms:RecipientAttestation:PCR0",
  "kms:RecipientAttestation:NitroTPMPCR4",
  "aws:CalledVia",
  "aws:CalledViaFirst",
  "aws:CalledViaLast",
  "aws:SourceArn",
  "aws:SourceAccount",
  "aws:SourceVpc",
  "aws:SourceVpce",
  "aws:PrincipalOrgID",
  "aws:PrincipalServiceName",
  "aws:PrincipalTag/team",
  "aws:MultiFactorAuthPresent",
  "aws:TokenIssueTime",
];
