// Condition keys of cryptographic operations: algorithms, encryption context, aliases. Source: as condition-table.ts.

import type { Members } from "../behaviours/behaviour.ts";
import { rows } from "./condition-row.ts";
import type { ConditionRow } from "./condition-row.ts";

const PAIRS = ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"];
const DATA_KEYS = ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext", ...PAIRS];
const SYMMETRIC = "SYMMETRIC_DEFAULT";
const RSA = "RSAES_OAEP_SHA_256";
const EQUALS = { Constraints: { EncryptionContextEquals: { team: "a" } } };
const SUBSET = { Constraints: { EncryptionContextSubset: { team: "a" } } };

export const CRYPTOGRAPHIC: readonly ConditionRow[] = [
  ...(
    [
      ["Encrypt", "EncryptionAlgorithm", "Encrypt with RSA", "Encrypt"],
      ["Decrypt", "EncryptionAlgorithm", "Decrypt with RSA", "Decrypt"],
      ["ReEncryptFrom", "SourceEncryptionAlgorithm", "ReEncrypt from RSA", "ReEncrypt"],
      ["ReEncryptTo", "DestinationEncryptionAlgorithm", "ReEncrypt to RSA", "ReEncrypt"],
    ] as const
  ).flatMap(([permission, member, withRsa, plain]) => [
    ...rows("kms:EncryptionAlgorithm", permission, {
      given: [{ [member]: RSA }, RSA, SYMMETRIC, withRsa],
      leftOut: [SYMMETRIC, RSA, plain],
    }),
    ...rows("kms:EncryptionAlgorithm", permission, { given: [{ [member]: SYMMETRIC }, SYMMETRIC, RSA, plain] }),
  ]),
  ...rows("kms:EncryptionAlgorithm", DATA_KEYS, { leftOut: [SYMMETRIC, RSA] }),
  ...rows("kms:DataKeyPairSpec", PAIRS, { given: [{ KeyPairSpec: "ECC_NIST_P256" }, "ECC_NIST_P256", "RSA_2048"] }),
  ...rows("kms:KeyAgreementAlgorithm", "DeriveSharedSecret", {
    given: [{ KeyAgreementAlgorithm: "ECDH" }, "ECDH", "other"],
  }),
  ...rows("kms:MacAlgorithm", ["GenerateMac", "VerifyMac"], {
    given: [{ MacAlgorithm: "HMAC_SHA_256" }, "HMAC_SHA_256", "HMAC_SHA_512"],
  }),
  ...rows("kms:SigningAlgorithm", ["Sign", "Verify"], {
    given: [{ SigningAlgorithm: "ECDSA_SHA_256" }, "ECDSA_SHA_256", "RSASSA_PSS_SHA_256"],
  }),
  ...["Sign", "Verify"].flatMap((permission) =>
    rows("kms:MessageType", permission, {
      given: [{ MessageType: "DIGEST" }, "DIGEST", "RAW", `${permission} a digest`],
      leftOut: ["RAW", "DIGEST"],
    }),
  ),
  ...["ReEncryptFrom", "ReEncryptTo"].flatMap((permission) => [
    ...rows("kms:ReEncryptOnSameKey", permission, {
      type: "Bool",
      given: [{}, "true", "false", "ReEncrypt to the same key"],
    }),
    ...rows("kms:ReEncryptOnSameKey", permission, { type: "Bool", given: [{}, "false", "true", "ReEncrypt"] }),
  ]),
  ...contextRows(),
  ...aliasRows(),
];

/** The encryption context of cryptographic operations, and the one that a grant's constraints ask for. */
function contextRows(): ConditionRow[] {
  const requests: readonly (readonly [permission: string, members: Members, request: string, plain: string | null])[] =
    [
      ...["Encrypt", ...DATA_KEYS].map((name) => [name, { EncryptionContext: { team: "a" } }, name, name] as const),
      ["Decrypt", { EncryptionContext: { team: "a" } }, "Decrypt with a context", "Decrypt"],
      ["ReEncryptFrom", { SourceEncryptionContext: { team: "a" } }, "ReEncrypt with contexts", "ReEncrypt"],
      ["ReEncryptTo", { DestinationEncryptionContext: { team: "a" } }, "ReEncrypt with contexts", "ReEncrypt"],
      ["CreateGrant", EQUALS, "CreateGrant", "CreateGrant"],
      ["CreateGrant", SUBSET, "CreateGrant", null],
      ["RetireGrant", {}, "RetireGrant of a constrained grant", "RetireGrant"],
    ];
  return requests.flatMap(([permission, members, request, plain]) => [
    ...rows("kms:EncryptionContext:team", permission, {
      given: [members, "a", "b", request],
      ...(plain !== null && { leftOut: [null, "a", plain] }),
    }),
    // Names of condition keys are not case-sensitive, and so neither is the name of the pair in them.
    ...rows("kms:EncryptionContext:TEAM", permission, { given: [members, "a", "A", request] }),
    ...rows("kms:EncryptionContextKeys", permission, {
      type: "ArrayOfString",
      given: [members, "team", "Team", request],
      ...(plain !== null && { leftOut: [null, "team", plain] }),
    }),
  ]);
}

/** Operations that name their key by an alias. The value is filled in by the test: aliases are new every time. */
function aliasRows(): ConditionRow[] {
  const named: readonly (readonly [permission: string, request: string, member: string])[] = [
    ...[
      ...DATA_KEYS,
      ...["Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate", "Encrypt", "GenerateMac"],
      ...["GetPublicKey", "Sign", "Verify", "VerifyMac"],
    ].map((operation) => [operation, operation, "KeyId"] as const),
    ["ReEncryptFrom", "ReEncrypt", "SourceKeyId"],
    ["ReEncryptTo", "ReEncrypt", "DestinationKeyId"],
  ];
  return named.flatMap(([permission, request, member]) =>
    rows("kms:RequestAlias", permission, {
      given: [{}, "alias/new-*", "alias/other-*", request],
      leftOut: [null, "alias/*", request],
    }).map((row) => ({ ...row, given: { ...row.given!, byAlias: member, shown: `{"${member}":"alias/…"}` } })),
  );
}
