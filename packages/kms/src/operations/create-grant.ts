// CreateGrant: KMS API Reference, API_CreateGrant.

import { rootArn } from "../auth/principal-arn.ts";
import { randomBytes } from "node:crypto";
import { GRANT_OPERATIONS } from "../access/decision.ts";
import { asStrictAs, sameConstraints } from "../access/grant-constraints.ts";
import { requirePrincipalArn } from "../access/principal-form.ts";
import type { Call } from "../calls/call.ts";
import * as members from "../calls/members.ts";
import { endDryRun, keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import type { GrantRecord, KeyRecord } from "../keys/key-record.ts";
import { algorithmsOf } from "../keys/key-spec.ts";
import { AwsError, validationError } from "../protocol/aws-error.ts";
import { list, map, oneOf, required, structure, text } from "../protocol/shape.ts";
import type { Infer } from "../protocol/shape.ts";

const MAX_GRANTS_PER_KEY = 50_000;

const input = structure({
  KeyId: required(members.keyId),
  GranteePrincipal: members.principal,
  RetiringPrincipal: members.principal,
  Operations: required(list(oneOf(GRANT_OPERATIONS))),
  Constraints: structure({
    EncryptionContextSubset: map(),
    EncryptionContextEquals: map(),
    SourceArn: text({
      min: 20,
      max: 512,
      pattern: String.raw`^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$`,
    }),
  }),
  GrantTokens: members.grantTokens,
  Name: text({ min: 1, max: 256, pattern: "^[a-zA-Z0-9:/_-]+$" }),
  DryRun: members.dryRun,
  GranteeServicePrincipal: members.servicePrincipal,
  RetiringServicePrincipal: members.servicePrincipal,
});
type Input = Infer<typeof input>;

export const createGrant: Operation = operation({
  name: "CreateGrant",
  effect: "writes",
  input,
  run(call, input) {
    const constraints = constraintsOf(input);
    const key = call.access.useKeyById(input.KeyId, { ...keyRequest("CreateGrant", input), constraints });
    const { grantee, retiring } = principalsOf(input);
    if (input.Operations.length === 0) throw validationError("A grant must allow at least one operation.");
    const wanted: Omit<GrantRecord, "grantId" | "token" | "createdAt"> = {
      region: key.region,
      keyId: key.keyId,
      name: input.Name ?? null,
      grantee,
      retiring,
      issuingAccount: rootArn(call.account),
      operations: [...new Set(input.Operations)],
      constraints,
    };
    requireNotWider(call, key, wanted);
    requireFitting(key, wanted);
    endDryRun(input.DryRun);

    // The same grant under the same name is the same grant: AWS answers its id again.
    const known = wanted.name === null ? undefined : call.access.grantsOn(key).find((grant) => isSame(grant, wanted));
    if (known !== undefined) return { GrantToken: known.token, GrantId: known.grantId };
    if (call.access.grantsOn(key).length >= MAX_GRANTS_PER_KEY)
      throw new AwsError(
        "LimitExceededException",
        `${key.arn} has ${MAX_GRANTS_PER_KEY} grants, the most a key can have.`,
      );
    const grant = {
      ...wanted,
      grantId: randomBytes(32).toString("hex"),
      token: randomBytes(96).toString("base64"),
      createdAt: call.now,
    };
    call.apply({ kind: "put-grant", grant });
    return { GrantToken: grant.token, GrantId: grant.grantId };
  },
});

/** Whom the grant is for and who may give it back: of each kind one at most, and each in the form of a principal. */
function principalsOf(input: Input): Pick<GrantRecord, "grantee" | "retiring"> {
  const { GranteePrincipal, GranteeServicePrincipal, RetiringPrincipal, RetiringServicePrincipal } = input;
  const grantee = members.onePrincipal({ GranteePrincipal, GranteeServicePrincipal });
  if (grantee === undefined)
    throw validationError("You must specify either GranteePrincipal or GranteeServicePrincipal.");
  const retiring = members.onePrincipal({ RetiringPrincipal, RetiringServicePrincipal }) ?? null;
  requirePrincipalArn(GranteePrincipal);
  requirePrincipalArn(RetiringPrincipal);
  if (GranteeServicePrincipal !== undefined && (input.Constraints?.SourceArn === undefined || retiring === null))
    throw validationError(
      "A grant with a GranteeServicePrincipal needs a SourceArn constraint and a retiring principal.",
    );
  return { grantee, retiring };
}

/** Most pairs in a constraint on the encryption context, and most characters in all of them. */
const MAX_PAIRS = 8;
const MAX_PAIRS_LENGTH = 384;

/** Source of the limits: KMS API Reference, API_CreateGrant, on Constraints. */
function constraintsOf({ Constraints = {} }: Input): GrantRecord["constraints"] {
  const { EncryptionContextSubset: subset, EncryptionContextEquals: equals, SourceArn: sourceArn } = Constraints;
  for (const [name, pairs] of Object.entries({ EncryptionContextSubset: subset, EncryptionContextEquals: equals })) {
    const entries = Object.entries(pairs ?? {});
    if (entries.length > MAX_PAIRS) throw validationError(`${name} can have at most ${MAX_PAIRS} pairs.`);
    if (entries.flat().join("").length > MAX_PAIRS_LENGTH)
      throw validationError(`${name} can have at most ${MAX_PAIRS_LENGTH} characters.`);
  }
  return { ...(subset && { subset }), ...(equals && { equals }), ...(sourceArn !== undefined && { sourceArn }) };
}

/** Whoever may make grants by a grant only passes on what one such grant gives, constrained alike or more strictly. */
function requireNotWider(call: Call, key: KeyRecord, wanted: Pick<GrantRecord, "operations" | "constraints">): void {
  const allowing = call.access.grantsAllowing(key, "kms:CreateGrant", { constraints: wanted.constraints });
  const covers = ({ operations, constraints }: GrantRecord): boolean =>
    wanted.operations.every((operation) => operations.includes(operation)) &&
    asStrictAs(wanted.constraints, constraints);
  if (allowing === null || allowing.some(covers)) return;
  throw new AwsError(
    "AccessDeniedException",
    `User: ${call.principal.arn} may pass on only what its own grant on ${key.arn} gives.`,
  );
}

/** Operations that a grant can allow for keys of every usage. */
const ANY_USAGE: ReadonlySet<string> = new Set(["CreateGrant", "DescribeKey", "RetireGrant"]);

function requireFitting(
  key: KeyRecord,
  { operations, constraints }: Pick<GrantRecord, "operations" | "constraints">,
): void {
  const symmetric = algorithmsOf(key.spec, key.usage).includes("SYMMETRIC_DEFAULT");
  const fitting: Readonly<Record<KeyRecord["usage"], readonly string[]>> = {
    ENCRYPT_DECRYPT: symmetric
      ? [
          "Encrypt",
          "Decrypt",
          "ReEncryptFrom",
          "ReEncryptTo",
          "GenerateDataKey",
          "GenerateDataKeyWithoutPlaintext",
          "GenerateDataKeyPair",
          "GenerateDataKeyPairWithoutPlaintext",
        ]
      : ["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"],
    SIGN_VERIFY: ["Sign", "Verify", "GetPublicKey"],
    GENERATE_VERIFY_MAC: ["GenerateMac", "VerifyMac"],
    KEY_AGREEMENT: ["DeriveSharedSecret", "GetPublicKey"],
    ENCAPSULATE_DECAPSULATE: ["Encapsulate", "Decapsulate", "GetPublicKey"],
  };
  const wrong = operations.filter((operation) => !ANY_USAGE.has(operation) && !fitting[key.usage].includes(operation));
  if (wrong.length > 0)
    throw validationError(
      `The operations [${wrong.join(", ")}] are not valid for a key with spec ${key.spec} and usage ${key.usage}.`,
    );
  if (!symmetric && (constraints.subset !== undefined || constraints.equals !== undefined)) {
    throw validationError("Encryption context constraints are valid for symmetric encryption keys only.");
  }
}

const isSame = (grant: GrantRecord, wanted: Omit<GrantRecord, "grantId" | "token" | "createdAt">): boolean =>
  grant.name === wanted.name &&
  grant.grantee === wanted.grantee &&
  grant.retiring === wanted.retiring &&
  JSON.stringify([...grant.operations].sort()) === JSON.stringify([...wanted.operations].sort()) &&
  sameConstraints(grant.constraints, wanted.constraints);
