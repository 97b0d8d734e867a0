import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { wrapMaterial } from "../imported-material.ts";
import { ACCOUNT } from "../running-kms.ts";
import { NOWHERE, arnOf, base64, behaviour } from "./behaviour.ts";

const root = `arn:aws:iam::${ACCOUNT}:root`;
const OWNER = { Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource: "*" };
const policyWith = (...statements: readonly unknown[]): string => JSON.stringify({ Statement: [OWNER, ...statements] });
const policyNaming = (Principal: unknown): string => policyWith({ ...OWNER, Principal });

/** Who can be named in a key policy. */
const PRINCIPALS: readonly unknown[] = [
  "*",
  { AWS: "*" },
  { AWS: "111122223333" },
  { AWS: root },
  { AWS: "arn:aws:iam::111122223333:root" },
  { AWS: [`arn:aws:iam::${ACCOUNT}:user/ann`, `arn:aws:iam::${ACCOUNT}:user/team/a+b=c,d.e@f-g_h`] },
  { AWS: `arn:aws:iam::${ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling` },
  { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/app/session-1` },
  { AWS: `arn:aws:sts::${ACCOUNT}:federated-user/bob` },
  { Service: "logs.eu-west-1.amazonaws.com" },
  { Service: ["s3.amazonaws.com", "delivery.logs.amazonaws.com"] },
  { Federated: "cognito-identity.amazonaws.com" },
  { Federated: `arn:aws:iam::${ACCOUNT}:saml-provider/corp` },
  { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/token.example.com/id/1A` },
];

/** Who cannot: groups, unique ids, parts of names, other partitions, services that are none. */
const NO_PRINCIPALS: readonly unknown[] = [
  {},
  { AWS: "" },
  { AWS: "ann" },
  { AWS: "11112222333" },
  { AWS: "1111222233334" },
  { AWS: `arn:aws:iam::${ACCOUNT}:group/admins` },
  { AWS: `arn:aws:iam::${ACCOUNT}:user/*` },
  { AWS: `arn:aws:iam::${ACCOUNT}:role/app?` },
  { AWS: `arn:aws:iam::${ACCOUNT}:user/` },
  { AWS: `arn:aws:iam::${ACCOUNT}:user` },
  { AWS: `arn:aws:iam::${ACCOUNT}:*` },
  { AWS: `arn:aws:iam:eu-west-1:${ACCOUNT}:user/ann` },
  { AWS: "arn:aws:iam::12345:user/ann" },
  { AWS: "arn:aws:iam:::user/ann" },
  { AWS: `arn:aws-cn:iam::${ACCOUNT}:user/ann` },
  { AWS: `arn:aws:iam::${ACCOUNT}:user/ann ` },
  { AWS: ` arn:aws:iam::${ACCOUNT}:user/ann` },
  { AWS: `arn:aws:iam::${ACCOUNT}:user/ann\n` },
  { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/app` },
  { AWS: `arn:aws:kms:eu-west-1:${ACCOUNT}:key/${NOWHERE}` },
  { AWS: "AIDACKCEVSQ6C2EXAMPLE" },
  { AWS: "s3.amazonaws.com" },
  { AWS: [root, "nobody"] },
  { Service: "*" },
  { Service: "s3" },
  { Service: "s3.example.com" },
  { Federated: "*" },
  { Federated: root },
  { Federated: "example.com" },
];

const INVALID_PRINCIPALS = [
  "MalformedPolicyDocumentException",
  "Policy contains a statement with one or more invalid principals.",
];

behaviour(
  45,
  "Principals in a key policy must be able to exist (MalformedPolicyDocumentException), grantees too (InvalidArnException)",
  ["CreateKey", "PutKeyPolicy", "ReplicateKey", "CreateGrant", "ListGrants", "ListRetirableGrants"],
  async (b) => {
    const { KeyId } = await b.key({ MultiRegion: true });
    for (const principal of PRINCIPALS)
      await b.ok("PutKeyPolicy", { KeyId, Policy: policyNaming(principal) }).catch((error: unknown) => {
        assert.fail(`${JSON.stringify(principal)}: ${String(error)}`);
      });
    for (const principal of NO_PRINCIPALS) {
      const Policy = policyNaming(principal);
      for (const [operation, body] of [
        ["CreateKey", { Policy }],
        ["PutKeyPolicy", { KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }],
        ["ReplicateKey", { KeyId, ReplicaRegion: "eu-west-2", Policy }],
      ] as const)
        assert.deepEqual(await b.refused(operation, body), INVALID_PRINCIPALS, `${operation} ${Policy}`);
    }
    const ann = `arn:aws:iam::${ACCOUNT}:user/ann`;
    const grant = { KeyId, GranteePrincipal: ann, Operations: ["Decrypt"] };
    for (const text of ["ann", "111122223333", `arn:aws:iam::${ACCOUNT}:group/g`, arnOf(NOWHERE), "s3.amazonaws.com"])
      for (const member of ["GranteePrincipal", "RetiringPrincipal"]) {
        const refused = await b.refused("CreateGrant", { ...grant, [member]: text });
        assert.deepEqual(refused, ["InvalidArnException", `ARN does not refer to a valid principal: ${text}`]);
      }
    const both = "You cannot specify both GranteePrincipal and GranteeServicePrincipal.";
    const GranteeServicePrincipal = "rds.eu-west-1.amazonaws.com";
    assert.deepEqual(await b.refused("CreateGrant", { ...grant, GranteeServicePrincipal }), [
      "ValidationException",
      both,
    ]);
    assert.deepEqual(await b.refused("ListGrants", { KeyId, GranteePrincipal: ann, GranteeServicePrincipal }), [
      "ValidationException",
      both,
    ]);
    const retirers = { RetiringPrincipal: ann, RetiringServicePrincipal: GranteeServicePrincipal };
    assert.equal((await b.refused("CreateGrant", { ...grant, ...retirers }))[0], "ValidationException");
    assert.equal((await b.refused("ListRetirableGrants", retirers))[0], "ValidationException");
    assert.equal((await b.refused("ListRetirableGrants", {}))[0], "ValidationException");
    assert.equal((await b.refused("CreateGrant", { KeyId, Operations: ["Decrypt"] }))[0], "ValidationException");
    assert.equal((await b.refused("CreateGrant", { ...grant, Operations: [] }))[0], "ValidationException");

    const service = { KeyId, GranteeServicePrincipal, Operations: ["Decrypt"] };
    const Constraints = { SourceArn: `arn:aws:rds:eu-west-1:${ACCOUNT}:db:orders` };
    assert.equal((await b.refused("CreateGrant", { ...service, RetiringPrincipal: ann }))[0], "ValidationException");
    assert.equal((await b.refused("CreateGrant", { ...service, Constraints }))[0], "ValidationException");
    const { GrantId } = await b.ok("CreateGrant", { ...service, Constraints, RetiringPrincipal: ann });
    const { Grants } = await b.ok("ListGrants", { KeyId, GranteeServicePrincipal });
    const { GrantId: listed, GranteeServicePrincipal: shown, GranteePrincipal: none } = Grants[0];
    assert.deepEqual([listed, shown, none], [GrantId, GranteeServicePrincipal, undefined]);
    const pairs = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, "v"]));
    for (const EncryptionContextEquals of [pairs, { k: "v".repeat(384) }])
      assert.equal(
        (await b.refused("CreateGrant", { ...grant, Constraints: { EncryptionContextEquals } }))[0],
        "ValidationException",
      );
  },
);

behaviour(
  46,
  "alias/a:b: ValidationException … contains invalid characters for an alias",
  ["CreateAlias", "UpdateAlias", "DeleteAlias"],
  async (b) => {
    const { KeyId: TargetKeyId } = await b.key();
    for (const operation of ["CreateAlias", "UpdateAlias", "DeleteAlias"]) {
      const refused = (AliasName: string): Promise<unknown> => b.refused(operation, { AliasName, TargetKeyId });
      for (const name of ["alias/a:b", "alias/:", "alias/a/b:c"])
        assert.deepEqual(await refused(name), [
          "ValidationException",
          `${name} contains invalid characters for an alias`,
        ]);
      const pattern =
        "failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$";
      for (const name of ["alias/a b", "alias/ä", "alias/a.b", "alias/a\n"])
        assert.deepEqual(await refused(name), [
          "ValidationException",
          `1 validation error detected: Value '${name}' at 'aliasName' ${pattern}`,
        ]);
      assert.deepEqual(await refused("alias/aws/mine"), ["NotAuthorizedException", undefined]);
    }
    for (const AliasName of ["alias/a_b-c/d/", "alias/aws", "alias/awsx/y", `alias/${"a".repeat(250)}`])
      await b.ok("CreateAlias", { AliasName, TargetKeyId });
  },
);

/** Documents that are no policy; AWS says nothing of what is wrong with them. */
const MALFORMED: readonly string[] = [
  "not a real policy statement",
  "{",
  "[]",
  "null",
  '"x"',
  "7",
  "{}",
  '{"Statement":[]}',
  '{"Statement":7}',
  '{"Statement":[7]}',
  '{"Version":"2020-01-01","Statement":[]}',
  JSON.stringify({ Statement: [OWNER], Extra: 1 }),
  policyWith({ ...OWNER, Effect: "Maybe" }),
  policyWith({ ...OWNER, Effect: undefined }),
  policyWith({ ...OWNER, Principal: undefined }),
  policyWith({ ...OWNER, Principal: 7 }),
  policyWith({ ...OWNER, Principal: "nobody" }),
  policyWith({ ...OWNER, Principal: { Group: "x" } }),
  policyWith({ ...OWNER, NotPrincipal: "*" }),
  policyWith({ ...OWNER, Action: 7 }),
  policyWith({ ...OWNER, Action: [] }),
  policyWith({ ...OWNER, NotAction: "kms:Decrypt" }),
  policyWith({ ...OWNER, Resource: {} }),
  policyWith({ ...OWNER, Condition: { StringSortOf: { a: "b" } } }),
  policyWith({ ...OWNER, Condition: { StringEquals: "x" } }),
  policyWith({ ...OWNER, Condition: "x" }),
];

behaviour(
  48,
  "A key policy has at most 32 KiB (LimitExceededException); one that is malformed is refused without a word",
  ["CreateKey", "PutKeyPolicy"],
  async (b) => {
    const { KeyId } = await b.key();
    const size = (bytes: number, filler: string): string => {
      const text = policyWith();
      return text + filler.repeat((bytes - text.length) / Buffer.byteLength(filler));
    };
    await b.ok("PutKeyPolicy", { KeyId, Policy: size(32_768, " ") });
    for (const Policy of [size(32_769, " "), JSON.stringify({ Id: "ä".repeat(16_400), Statement: [OWNER] })])
      for (const [operation, body] of [
        ["CreateKey", { Policy }],
        ["PutKeyPolicy", { KeyId, Policy }],
      ] as const)
        assert.equal((await b.refused(operation, body))[0], "LimitExceededException", operation);
    for (const Policy of MALFORMED)
      for (const [operation, body] of [
        ["CreateKey", { Policy, BypassPolicyLockoutSafetyCheck: true }],
        ["PutKeyPolicy", { KeyId, Policy }],
      ] as const)
        assert.equal((await b.wire(operation, body)).text, '{"__type":"MalformedPolicyDocumentException"}', Policy);
    // A statement without an action or a resource is taken, and gives nothing.
    await b.ok("PutKeyPolicy", { KeyId, Policy: policyWith({ ...OWNER, Action: undefined }) });
    await b.ok("PutKeyPolicy", { KeyId, Policy: policyWith({ ...OWNER, Effect: "Deny", Resource: undefined }) });
    await b.ok("DescribeKey", { KeyId });
  },
);

behaviour(
  49,
  "CurrentKeyMaterialId stays after DeleteImportedKeyMaterial; ReplicateKey without tags answers no ReplicaTags",
  ["DeleteImportedKeyMaterial", "DescribeKey", "ReplicateKey"],
  async (b) => {
    const { KeyId } = await b.key({ Origin: "EXTERNAL" });
    assert.equal((await b.ok("DescribeKey", { KeyId }))["KeyMetadata"].CurrentKeyMaterialId, undefined);
    const algorithm = "RSAES_OAEP_SHA_256";
    const given = await b.ok("GetParametersForImport", {
      KeyId,
      WrappingAlgorithm: algorithm,
      WrappingKeySpec: "RSA_2048",
    });
    await b.ok("ImportKeyMaterial", {
      KeyId,
      ImportToken: given["ImportToken"],
      EncryptedKeyMaterial: wrapMaterial(algorithm, given["PublicKey"], randomBytes(32)),
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    });
    const before = (await b.ok("DescribeKey", { KeyId }))["KeyMetadata"];
    const { KeyMaterialId } = await b.ok("DeleteImportedKeyMaterial", { KeyId });
    const after = (await b.ok("DescribeKey", { KeyId }))["KeyMetadata"];
    assert.equal(after.KeyState, "PendingImport");
    assert.deepEqual([before.CurrentKeyMaterialId, after.CurrentKeyMaterialId], [KeyMaterialId, KeyMaterialId]);

    const primary = await b.key({ MultiRegion: true });
    const plain = await b.ok("ReplicateKey", { KeyId: primary["KeyId"], ReplicaRegion: "eu-west-2" });
    assert.equal("ReplicaTags" in plain, false);
    const Tags = [{ TagKey: "a", TagValue: "b" }];
    const tagged = await b.ok("ReplicateKey", { KeyId: primary["KeyId"], ReplicaRegion: "eu-central-1", Tags });
    assert.deepEqual(tagged["ReplicaTags"], Tags);
  },
);

behaviour(
  50,
  "Errors without a text have no message member at all",
  ["CreateAlias", "DeriveSharedSecret", "CreateKey", "EnableKeyRotation"],
  async (b) => {
    const { KeyId } = await b.key({ KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
    const derive = { KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey: base64("no key") };
    for (const [operation, body, type] of [
      ["CreateAlias", { AliasName: "alias/aws/x", TargetKeyId: KeyId }, "NotAuthorizedException"],
      ["DeriveSharedSecret", derive, "ValidationException"],
      ["CreateKey", { Policy: "{" }, "MalformedPolicyDocumentException"],
      ["EnableKeyRotation", { KeyId }, "UnsupportedOperationException"],
    ] as const) {
      const { json } = await b.wire(operation, body);
      assert.equal(json["__type"], type, operation);
      if ("message" in json) assert.notEqual(json["message"], "", operation);
      if (type !== "UnsupportedOperationException") assert.deepEqual(json, { __type: type });
    }
  },
);

behaviour(
  51,
  "A blob is one piece of padded base64: SerializationException for any other",
  ["Decrypt", "Encrypt", "ImportKeyMaterial", "Verify"],
  async (b) => {
    const { KeyId } = await b.key();
    const wrong = [
      "AAAA==BBBB",
      "AA==AA==",
      "AAA=BBB=",
      "AAAA BBBB",
      "AAAA\nBBBB",
      "AAAA\r\n",
      " AAAA",
      "AAAA ",
      "AAA",
      "A",
      "A===",
      "=",
      "====",
      "AA=",
      "AA-_",
      "AAAA-BB=",
      "AB==",
      "AAB=",
      "ÀAAA",
      "AAAA\u0000",
      "{}",
      "data:;base64,AAAA",
    ];
    for (const text of wrong)
      for (const [operation, body] of [
        ["Decrypt", { CiphertextBlob: text }],
        ["Encrypt", { KeyId, Plaintext: text }],
        ["ImportKeyMaterial", { KeyId, ImportToken: text, EncryptedKeyMaterial: base64("x") }],
        ["Verify", { KeyId, Message: base64("m"), Signature: text, SigningAlgorithm: "ECDSA_SHA_256" }],
      ] as const)
        assert.equal((await b.refused(operation, body))[0], "SerializationException", `${operation} ${text}`);
  },
);

behaviour(
  52,
  "A key is named by its id or ARN, as it is written, or by its alias",
  ["DescribeKey", "Encrypt", "GetKeyPolicy"],
  async (b) => {
    const { KeyId, Arn } = await b.key();
    await b.ok("CreateAlias", { AliasName: "alias/Name", TargetKeyId: KeyId });
    const aliasArn = (Arn as string).replace(/key\/.*/, "alias/Name");
    for (const name of [KeyId, Arn, "alias/Name", aliasArn]) await b.ok("DescribeKey", { KeyId: name });
    for (const name of [KeyId, Arn]) await b.ok("GetKeyPolicy", { KeyId: name });
    const id = KeyId as string;
    const arn = Arn as string;
    const wrong = [
      id.toUpperCase(),
      `${id} `,
      ` ${id}`,
      `${id}\n`,
      id.replaceAll("-", ""),
      `key/${id}`,
      `mrk-${id}`,
      "mrk-",
      "mrk-XYZ",
      "*",
      ".",
      "..",
      "constructor",
      "__proto__",
      `${arn} `,
      arn.replace("arn:aws:", "arn:aws-cn:"),
      arn.replace("arn:aws:", "arn:aws-us-gov:"),
      arn.replace(ACCOUNT, "111122223333"),
      arn.replace(ACCOUNT, ""),
      arn.replace(ACCOUNT, "1"),
      arn.replace("eu-west-1", "us-east-1"),
      arn.replace("eu-west-1", ""),
      arn.replace(":kms:", ":iam:"),
      arn.toUpperCase(),
      `${arn}/x`,
      "arn:",
      "arn:aws:kms",
      "alias/",
      "alias/name",
      "alias/Name ",
      "ALIAS/Name",
      "alias/constructor",
      aliasArn.replace("Name", "name"),
      aliasArn.replace(ACCOUNT, "111122223333"),
      aliasArn.replace("eu-west-1", "eu-west-2"),
    ];
    for (const name of wrong)
      for (const [operation, body] of [
        ["DescribeKey", { KeyId: name }],
        ["Encrypt", { KeyId: name, Plaintext: base64("x") }],
        ["GetKeyPolicy", { KeyId: name }],
      ] as const)
        assert.equal((await b.refused(operation, body))[0], "NotFoundException", `${operation} ${name}`);
    assert.equal((await b.refused("DescribeKey", { KeyId: "" }))[0], "ValidationException");
    assert.equal((await b.refused("DescribeKey", { KeyId: "k".repeat(2049) }))[0], "ValidationException");
  },
);

behaviour(
  53,
  "A marker is one of a former answer: InvalidMarkerException for any other; Limit is 1 to 1000",
  [
    "ListKeys",
    "ListAliases",
    "ListGrants",
    "ListRetirableGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListResourceTags",
    "DescribeCustomKeyStores",
  ],
  async (b) => {
    const { KeyId } = await b.key();
    const named = { KeyId };
    const lists: readonly (readonly [string, object])[] = [
      ["ListKeys", {}],
      ["ListAliases", {}],
      ["ListGrants", named],
      ["ListRetirableGrants", { RetiringPrincipal: root }],
      ["ListKeyPolicies", named],
      ["ListKeyRotations", named],
      ["ListResourceTags", named],
      ["DescribeCustomKeyStores", {}],
    ];
    for (const [operation, body] of lists) {
      for (const Marker of ["x", "a".repeat(1024), Buffer.from("before:1").toString("base64url")])
        assert.equal(
          (await b.refused(operation, { ...body, Marker }))[0],
          "InvalidMarkerException",
          `${operation} ${Marker}`,
        );
      for (const Limit of [0, -1, 1001])
        assert.equal((await b.refused(operation, { ...body, Limit }))[0], "ValidationException", operation);
      for (const Limit of ["1", 1.5, 1e300, true])
        assert.equal((await b.refused(operation, { ...body, Limit }))[0], "SerializationException", operation);
      for (const Limit of [1, 1000]) await b.ok(operation, { ...body, Limit });
    }
  },
);
