import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, verify } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { createKms, seedDataDir } from "@strongroom/kms";
import type { Kms, SeedDocument } from "@strongroom/kms";
import { failure, temporaryDirectory } from "../running-kms.ts";

const ORDERS = "11111111-2222-4333-8444-555555555555";
const PEOPLE = "mrk-0123456789abcdef0123456789abcdef";
const TOKENS = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const SIGNER = "99999999-8888-4777-8666-555555555555";
const MAC = Buffer.alloc(48, 7).toString("hex");
const { privateKey, publicKey } = generateKeyPairSync("ec", {
  namedCurve: "prime256v1",
  privateKeyEncoding: { type: "sec1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "der" },
});

const YAML = `
# For tests.
keys:
  - id: ${ORDERS}
    description: orders
    aliases: [alias/orders, alias/shop/orders]
    tags: { team: payments }
    material: ["${"01".repeat(32)}", "${"02".repeat(32)}"]
    policy:
      Version: "2012-10-17"
      Statement:
        - { Sid: all, Effect: Allow, Principal: { AWS: "*" }, Action: "kms:*", Resource: "*" }
  - id: ${PEOPLE}
    regions: [eu-west-1, eu-west-2]
    aliases: [alias/people]
  - id: ${TOKENS}
    region: eu-west-2
    spec: HMAC_384
    enabled: false
    material: "${MAC}"
  - id: ${SIGNER}
    spec: ECC_NIST_P256
    usage: SIGN_VERIFY
    material: |
${privateKey.trim().replaceAll(/^/gm, "      ")}
`;

const REGIONS = [
  { name: "eu-west-1", port: 0 },
  { name: "eu-west-2", port: 0 },
] as const;

const clientOf = (kms: Kms, region?: string): KMS => new KMS({ ...kms.clientConfig(region), maxAttempts: 1 });

test("a seed file makes keys with their ids, material, aliases, tags and policies", async (t) => {
  const file = join(await temporaryDirectory(t), "seed.yaml");
  writeFileSync(file, YAML);
  await using kms = await createKms({ regions: REGIONS, seed: file });
  const [west1, west2] = [clientOf(kms), clientOf(kms, "eu-west-2")];
  const { KeyMetadata } = await west1.describeKey({ KeyId: "alias/shop/orders" });
  assert.equal(KeyMetadata!.Arn, `arn:aws:kms:eu-west-1:000000000000:key/${ORDERS}`);
  assert.equal(KeyMetadata!.Description, "orders");
  assert.deepEqual((await west1.listResourceTags({ KeyId: ORDERS })).Tags, [{ TagKey: "team", TagValue: "payments" }]);
  assert.match((await west1.getKeyPolicy({ KeyId: ORDERS })).Policy!, /"Sid":"all"/);
  assert.equal(
    (await west1.listKeyRotations({ KeyId: ORDERS })).Rotations!.length,
    1,
    "two materials make one rotation",
  );

  const sealed = await west1.encrypt({ KeyId: "alias/people", Plaintext: Buffer.from("both regions") });
  const opened = await west2.decrypt({ CiphertextBlob: sealed.CiphertextBlob! });
  assert.equal(Buffer.from(opened.Plaintext!).toString(), "both regions");
  assert.equal(
    (await west2.describeKey({ KeyId: PEOPLE })).KeyMetadata!.MultiRegionConfiguration!.MultiRegionKeyType,
    "REPLICA",
  );

  assert.equal(
    (await failure(west2.generateMac({ KeyId: TOKENS, Message: Buffer.from("m"), MacAlgorithm: "HMAC_SHA_384" }))).name,
    "DisabledException",
  );
  await west2.enableKey({ KeyId: TOKENS });
  const { Mac } = await west2.generateMac({ KeyId: TOKENS, Message: Buffer.from("m"), MacAlgorithm: "HMAC_SHA_384" });
  assert.deepEqual(Buffer.from(Mac!), createHmac("sha384", Buffer.from(MAC, "hex")).update("m").digest());

  const { Signature } = await west1.sign({
    KeyId: SIGNER,
    Message: Buffer.from("m"),
    SigningAlgorithm: "ECDSA_SHA_256",
  });
  assert.ok(verify("sha256", Buffer.from("m"), { key: publicKey, format: "der", type: "spki" }, Signature!));
  assert.equal(kms.seeded!.made.length, 5);
  assert.equal(kms.seeded!.openMaterial.length, 3);
});

test("JSON and an object in code say the same", async (t) => {
  const seed: SeedDocument = { keys: [{ id: ORDERS, material: "01".repeat(32), aliases: ["alias/a"] }] };
  const file = join(await temporaryDirectory(t), "seed.json");
  writeFileSync(file, JSON.stringify(seed));
  await using one = await createKms({ seed: file });
  const { CiphertextBlob } = await clientOf(one).encrypt({ KeyId: "alias/a", Plaintext: Buffer.from("x") });
  await using other = await createKms({ seed });
  const { Plaintext } = await clientOf(other).decrypt({ CiphertextBlob: CiphertextBlob! });
  assert.equal(Buffer.from(Plaintext!).toString(), "x", "the same material in two servers");
});

test("the same seed again changes nothing, not even what its users have changed", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const seed: SeedDocument = { keys: [{ id: ORDERS, aliases: ["alias/a"], description: "first" }] };
  const first = await seedDataDir({ dataDir, seed });
  assert.deepEqual([first.made.length, first.kept.length, first.openMaterial.length], [1, 0, 0]);
  const kms = await createKms({ dataDir, seed });
  assert.deepEqual([kms.seeded!.made.length, kms.seeded!.kept.length], [0, 1]);
  await clientOf(kms).updateKeyDescription({ KeyId: ORDERS, Description: "changed" });
  await clientOf(kms).deleteAlias({ AliasName: "alias/a" });
  await kms.close();
  await using again = await createKms({ dataDir, seed });
  assert.equal((await clientOf(again).describeKey({ KeyId: ORDERS })).KeyMetadata!.Description, "changed");
  assert.deepEqual((await clientOf(again).listAliases({ KeyId: ORDERS })).Aliases, []);
});

test("a seed that differs from what is there is refused, whole", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const regions = REGIONS;
  await seedDataDir({ dataDir, regions, seed: { keys: [{ id: ORDERS, aliases: ["alias/a"] }, { id: PEOPLE }] } });
  const seed: SeedDocument = {
    keys: [
      { id: ORDERS, spec: "HMAC_256" },
      { id: PEOPLE, regions: ["eu-west-1", "eu-west-2"] },
      { id: TOKENS, aliases: ["alias/a"] },
    ],
  };
  await assert.rejects(seedDataDir({ dataDir, regions, seed }), (error: Error & { code?: string }) => {
    assert.equal(error.code, "seed-conflict");
    assert.match(error.message, /keys\[0\]: 1111.* another spec and usage/);
    assert.match(error.message, /keys\[1\]: mrk-.* not in eu-west-2/);
    assert.match(error.message, /keys\[2\]: alias\/a exists/);
    return true;
  });
  await assert.rejects(seedDataDir({ dataDir, regions, seed: { keys: [{ id: ORDERS, material: "03".repeat(32) }] } }), {
    code: "seed-conflict",
    message: /another material/,
  });
  await using kms = await createKms({ dataDir, regions });
  assert.equal((await clientOf(kms).listKeys({})).Keys!.length, 2);
});

test("every mistake is listed with its line, and none of the material", async (t) => {
  const file = join(await temporaryDirectory(t), "seed.yaml");
  const secret = "5ec2e7".repeat(11);
  writeFileSync(
    file,
    `keys:
  - id: not-an-id
    colour: red
  - id: ${ORDERS}
    material: ${secret}
    tags:
      year: 2026
`,
  );
  await assert.rejects(createKms({ seed: file }), (error: Error & { code?: string }) => {
    assert.equal(error.code, "seed-malformed");
    const lines = error.message.split("\n").slice(1);
    assert.deepEqual(
      lines.map((line) => line.trim().split(" ").slice(0, 3).join(" ")),
      ["line 2: keys[0].id:", "line 3: keys[0].colour:", "line 7: keys[1].tags.year:"],
    );
    return true;
  });
  writeFileSync(
    file,
    `keys:
  - id: ${ORDERS}
    region: mars-north-1
    aliases: [alias/a, alias/a]
    material: ${secret}
  - id: ${ORDERS}
    regions: [eu-west-1, eu-west-2]
    spec: RSA_2048
  - id: ${TOKENS}
    spec: ECC_SECG_P256K1
    usage: KEY_AGREEMENT
    material: |
      -----BEGIN PRIVATE KEY-----
      ${secret}
      -----END PRIVATE KEY-----
  - id: ${SIGNER}
    tags: { "aws:x": "1" }
    policy: { Statement: [{ Effect: Maybe }] }
    material: ["${"01".repeat(32)}", "${"01".repeat(32)}"]
`,
  );
  await assert.rejects(createKms({ seed: file }), (error: Error) => {
    const expected = [
      /line 3: .*no region mars-north-1/,
      /line 4: .*alias\/a is there twice/,
      /line 5: .*64 hexadecimal digits/,
      /line 6: .*needs a usage: ENCRYPT_DECRYPT or SIGN_VERIFY/,
      /line 7: .*multi-Region/,
      /line 11: .*only have SIGN_VERIFY/,
      /line 12: .*private key in PEM/,
      /line 17: .*aws:/,
      /line 18: .*policy/,
      /line 19: .*twice/,
    ];
    for (const one of expected) assert.match(error.message, one);
    assert.equal(error.message.includes(secret.slice(0, 12)), false);
    return true;
  });
});

const NOT_SEEDS: Readonly<Record<string, string>> = {
  empty: "",
  "no keys": "{}",
  "a list": "- 1",
  "broken YAML": "keys: [",
  "a key twice": "keys: []\nkeys: []",
  "two documents": "keys: []\n---\nkeys: []",
  "references that multiply": `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\nkeys: [*d,*d,*d,*d,*d,*d,*d,*d]`,
  "number for a key": "keys: [7]",
  "digits without quotes": `keys: [{ id: ${ORDERS}, material: ${"7".repeat(64)} }]`,
  prototype: `{"__proto__": {"keys": []}}`,
};

test("what is no seed at all is refused with a line, and no data directory is made", async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, "seed.yaml");
  for (const [name, text] of Object.entries(NOT_SEEDS)) {
    writeFileSync(file, text);
    await assert.rejects(
      createKms({ dataDir: join(directory, "data"), seed: file }),
      { code: "seed-malformed", message: /line \d+: / },
      name,
    );
  }
  await assert.rejects(createKms({ dataDir: join(directory, "data"), seed: join(directory, "absent.yaml") }), {
    code: "seed-malformed",
    message: /absent\.yaml/,
  });
  assert.equal(existsSync(join(directory, "data")), false);
});
