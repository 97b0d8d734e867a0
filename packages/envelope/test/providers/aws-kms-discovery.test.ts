import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import {
  AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
  buildClient,
  CommitmentPolicy,
  getClient,
  KMS,
  KmsKeyringNode,
} from "@aws-crypto/client-node";
import type { KeyringNode } from "@aws-crypto/client-node";
import { decrypt, encrypt } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import type { EncryptedDataKey } from "@strongroom/envelope/format";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient } from "@strongroom/envelope/aws-kms";
import { KMS_DISCOVERY_DEFAULTS, kmsDiscoveryKeyring } from "@strongroom/envelope/aws-kms-discovery";
import type { KmsDiscoveryClient, KmsDiscoveryOptions } from "@strongroom/envelope/aws-kms-discovery";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { InMemoryKms, named } from "../support/in-memory-kms.ts";
import { ACCOUNT, createKey, runningKms } from "../support/running-kms.ts";

const [WEST, NORTH, CENTRAL] = ["eu-west-1", "eu-north-1", "eu-central-1"] as const;
const kms = await runningKms(WEST, NORTH, CENTRAL);
const keyArn = await createKey(kms.client(WEST));
const otherArn = await createKey(kms.client(WEST));
const mrkArn = await createKey(kms.client(WEST), { MultiRegion: true });
await kms.client(WEST).replicateKey({ KeyId: mrkArn, ReplicaRegion: NORTH });

/** Their KMS keyrings extend a class that their types do not tell to be the clients' KeyringNode. */
const theirKeyring = (keyring: object): KeyringNode => keyring as KeyringNode;

const CALL = { signal: undefined };
const encryptionContext = { id: "42" };
const plaintext = Buffer.from("a name");
/** A busy machine is slow, and that is not what these tests are about. */
const PATIENT = { attemptTimeoutMs: 20_000, deadlineMs: 30_000 };
const filter = { partition: "aws", accounts: [ACCOUNT] };
const writer = (arn: string): Keyring =>
  multiRegionKeyring({
    regions: [{ region: arn.split(":")[3]!, keyArn: arn, client: kms.client(arn.split(":")[3]!) }],
    minimum: 1,
    ...PATIENT,
  });
const clientsOf = (regions: readonly string[]): KmsDiscoveryOptions["clients"] =>
  Object.fromEntries(regions.map((region) => [region, kms.client(region)]));
const discovery = (...regions: readonly string[]): Keyring =>
  kmsDiscoveryKeyring({ clients: clientsOf(regions), filter, ...PATIENT });
const anyRegion = (...regions: readonly string[]): Keyring =>
  kmsDiscoveryKeyring({ clients: clientsOf(regions), filter, multiRegionKeys: "any-region", ...PATIENT });

keyringContract({
  name: "AWS KMS discovery, against the project's KMS",
  flipEvery: 31,
  setup: () => ({
    writer: writer(keyArn),
    reader: discovery(WEST, NORTH),
    stranger: kmsDiscoveryKeyring({
      clients: { [WEST]: kms.client(WEST) },
      filter: { partition: "aws", accounts: ["111122223333"] },
    }),
    secondWriter: writer(otherArn),
  }),
});

keyringContract({
  name: "AWS KMS discovery of multi-Region keys, against the project's KMS",
  flipEvery: 31,
  namesSameKey: (info) =>
    info.toString().replace(/^arn:aws:kms:[a-z0-9-]+:/, "") === mrkArn.replace(/^arn:aws:kms:[a-z0-9-]+:/, ""),
  setup: () => ({
    writer: writer(mrkArn),
    reader: anyRegion(NORTH),
    stranger: discovery(NORTH),
    secondWriter: writer(mrkArn),
  }),
});

/** A client that only writes down what it is asked. */
function recorder(
  log: string[],
  answer: KmsDiscoveryClient["decrypt"] = async () => Promise.reject(named("AccessDeniedException")),
): KmsDiscoveryClient {
  return {
    decrypt: (input, options) => {
      log.push(input.KeyId);
      return answer(input, options);
    },
  };
}

const edk = (arn: string, providerId = "aws-kms"): EncryptedDataKey => ({
  providerId,
  providerInfo: Buffer.from(arn),
  ciphertext: randomBytes(100),
});
const arn = (region: string, account = ACCOUNT, key = "1234", partition = "aws"): string =>
  `arn:${partition}:kms:${region}:${account}:key/${key}`;

describe("AWS KMS discovery keyring", () => {
  test("messages cross with the AWS Encryption SDK for JavaScript, with discovery on either side", async () => {
    const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const clientProvider = getClient(KMS as never, kms.connection(WEST));
    const theirWriter = theirKeyring(
      new KmsKeyringNode({ generatorKeyId: keyArn, keyIds: [otherArn], clientProvider }),
    );
    const theirDiscovery = theirKeyring(
      new KmsKeyringNode({
        discovery: true,
        discoveryFilter: { partition: "aws", accountIDs: [ACCOUNT] },
        clientProvider,
      }),
    );
    for (const context of [{}, encryptionContext, { B: "1", a: "2", "\u00e9": "\u{1F600}" }]) {
      const { message } = await encrypt(plaintext, { keyring: writer(keyArn), encryptionContext: context });
      assert.deepEqual((await client.decrypt(theirDiscovery, message)).plaintext, plaintext);
      const { result } = await client.encrypt(theirWriter, plaintext, { encryptionContext: context });
      for (const keyring of [discovery(WEST), writer(keyArn), writer(otherArn)]) {
        assert.deepEqual(
          Buffer.from((await decrypt(result, { keyring, encryptionContext: context })).plaintext),
          plaintext,
        );
      }
    }
  });

  test("multi-Region keys cross as well: their discovery reads ours in the replica's region, ours reads theirs", async () => {
    const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const theirs = theirKeyring(
      new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({
        client: new KMS(kms.connection(NORTH)) as never,
        discoveryFilter: { partition: "aws", accountIDs: [ACCOUNT] },
      }),
    );
    const { message } = await encrypt(plaintext, { keyring: writer(mrkArn), encryptionContext });
    assert.deepEqual((await client.decrypt(theirs, message)).plaintext, plaintext);
    const { result } = await client.encrypt(
      theirKeyring(
        new KmsKeyringNode({ generatorKeyId: mrkArn, clientProvider: getClient(KMS as never, kms.connection(WEST)) }),
      ),
      plaintext,
      { encryptionContext },
    );
    await decrypt(result, { keyring: anyRegion(NORTH), encryptionContext });
    await rejectsWith(decrypt(result, { keyring: discovery(NORTH), encryptionContext }), "no-matching-key");
  });

  test("a multi-Region key is asked for in its own region first, then in the others; an outage of the first costs nothing else", async () => {
    const { message } = await encrypt(plaintext, { keyring: writer(mrkArn), encryptionContext });
    await kms.stopRegion(WEST);
    try {
      await decrypt(message, { keyring: anyRegion(NORTH, WEST), encryptionContext });
      const error = await rejectsWith(
        decrypt(message, { keyring: anyRegion(CENTRAL, WEST), encryptionContext }),
        "regions-unavailable",
      );
      assert.deepEqual(
        error.attempts?.map(({ region, reason }) => [region, reason]),
        [
          [WEST, "refused"],
          [CENTRAL, "key-not-found"],
        ],
      );
      assert.deepEqual(
        error.encryptedDataKeys?.map(({ outcome }) => outcome),
        ["refused"],
      );
    } finally {
      await kms.startRegion(WEST);
    }
  });

  test("only keys of the partition and accounts are ever asked for, and only in listed regions", async () => {
    const log: string[] = [];
    const keyring = kmsDiscoveryKeyring({
      clients: { [WEST]: recorder(log) },
      filter: { partition: "aws", accounts: [ACCOUNT, "111122223333"] },
    });
    const list = [
      edk(arn(WEST, "999988887777")),
      edk(arn(WEST, ACCOUNT, "1234", "aws-cn")),
      edk(arn("us-east-1")),
      edk(arn("us-east-1", ACCOUNT, "mrk-1234")),
      edk(arn(WEST), "aws-kms-rsa"),
      edk(arn(WEST, "111122223333")),
      edk(arn(WEST)),
    ];
    const error = await rejectsWith(
      keyring.onDecrypt(decryptionMaterials(randomBytes(32)), list, CALL),
      "regions-unavailable",
    );
    assert.deepEqual(log, [arn(WEST, "111122223333"), arn(WEST)]);
    assert.deepEqual(
      error.encryptedDataKeys?.map(({ outcome }) => outcome),
      [...Array<string>(5).fill("not-configured"), "access-denied", "access-denied"],
    );
    assert.deepEqual(
      error.attempts?.map(({ keyArn: asked, operation, reason, errorName }) => [asked, operation, reason, errorName]),
      log.map((asked) => [asked, "Decrypt", "access-denied", "AccessDeniedException"]),
    );
  });

  test("any-region moves multi-Region keys only, and nothing but the region of their ARN", async () => {
    const log: string[] = [];
    const keyring = kmsDiscoveryKeyring({
      clients: { [NORTH]: recorder(log), [CENTRAL]: recorder(log) },
      filter,
      multiRegionKeys: "any-region",
    });
    const list = [edk(arn(WEST)), edk(arn(WEST, ACCOUNT, "mrk-1234")), edk(arn(CENTRAL, ACCOUNT, "mrk-5678"))];
    await rejectsWith(keyring.onDecrypt(decryptionMaterials(randomBytes(32)), list, CALL), "regions-unavailable");
    assert.deepEqual(log, [
      arn(NORTH, ACCOUNT, "mrk-1234"),
      arn(CENTRAL, ACCOUNT, "mrk-1234"),
      arn(CENTRAL, ACCOUNT, "mrk-5678"),
      arn(NORTH, ACCOUNT, "mrk-5678"),
    ]);
  });

  test("an aws-kms encrypted data key that names no key ARN is a malformed message, before any call", async () => {
    const log: string[] = [];
    const keyring = kmsDiscoveryKeyring({ clients: { [WEST]: recorder(log) }, filter });
    for (const info of ["alias/strongroom", `arn:aws:kms:${WEST}:${ACCOUNT}:alias/a`, "1234", ""]) {
      await rejectsWith(
        keyring.onDecrypt(decryptionMaterials(randomBytes(32)), [edk(arn(WEST)), edk(info)], CALL),
        "message-malformed",
      );
    }
    assert.deepEqual(log, []);
  });

  test("an answer of another key, of a wrong length or without a key is not believed, and wiped", async () => {
    const answers = [
      [{ KeyId: arn(WEST, ACCOUNT, "other"), Plaintext: randomBytes(32) }, "wrong-key-id"],
      [{ KeyId: arn(WEST), Plaintext: randomBytes(16) }, "wrong-key-length"],
      [{ KeyId: arn(WEST) }, "wrong-key-length"],
      [{ KeyId: arn(WEST), Plaintext: randomBytes(32) }, "wrong-data-key"],
      [null, "server-error"],
    ] as const;
    for (const [answer, outcome] of answers) {
      const keyring = kmsDiscoveryKeyring({ clients: { [WEST]: recorder([], async () => answer as never) }, filter });
      const error = await rejectsWith(
        keyring.onDecrypt(decryptionMaterials(randomBytes(32)), [edk(arn(WEST))], CALL),
        outcome === "wrong-data-key" ? "decryption-failed" : "regions-unavailable",
      );
      assert.equal(error.encryptedDataKeys?.[0]?.outcome, outcome);
      if (answer !== null && "Plaintext" in answer) assert.ok(answer.Plaintext.every((byte) => byte === 0));
    }
  });

  test("it cannot encrypt", async () => {
    await rejectsWith(discovery(WEST).onEncrypt(encryptionMaterials(), CALL), "keyring-unsuitable");
  });

  test("a client that never answers costs the attempt's time; all together the deadline; an abort ends it at once", async () => {
    const silent = recorder([], () => new Promise(() => undefined));
    const list = [edk(arn(WEST)), edk(arn(WEST, ACCOUNT, "5678")), edk(arn(WEST, ACCOUNT, "9"))];
    const keyring = (options: Partial<KmsDiscoveryOptions>): Keyring =>
      kmsDiscoveryKeyring({ clients: { [WEST]: silent }, filter, ...options });
    const materials = (): ReturnType<typeof decryptionMaterials> => decryptionMaterials(randomBytes(32));

    const slow = await rejectsWith(
      keyring({ attemptTimeoutMs: 20 }).onDecrypt(materials(), list, CALL),
      "regions-unavailable",
    );
    assert.deepEqual(
      slow.attempts?.map(({ reason }) => reason),
      ["timeout", "timeout", "timeout"],
    );
    const late = await rejectsWith(
      keyring({ attemptTimeoutMs: 1000, deadlineMs: 40 }).onDecrypt(materials(), list, CALL),
      "deadline-exceeded",
    );
    assert.deepEqual(
      late.attempts?.map(({ reason }) => reason),
      ["timeout"],
    );
    const aborted = await rejectsWith(
      keyring({}).onDecrypt(materials(), list, { signal: AbortSignal.timeout(20) }),
      "aborted",
    );
    assert.deepEqual(
      aborted.attempts?.map(({ reason }) => reason),
      ["aborted"],
    );
  });

  test("a data key that arrives too late is wiped", async () => {
    const { promise, resolve } = Promise.withResolvers<{ KeyId: string; Plaintext: Uint8Array }>();
    const keyring = kmsDiscoveryKeyring({
      clients: { [WEST]: recorder([], () => promise) },
      filter,
      attemptTimeoutMs: 10,
    });
    await rejectsWith(
      keyring.onDecrypt(decryptionMaterials(randomBytes(32)), [edk(arn(WEST))], CALL),
      "regions-unavailable",
    );
    const Plaintext = randomBytes(32);
    resolve({ KeyId: arn(WEST), Plaintext });
    await promise;
    await Promise.resolve();
    assert.ok(Plaintext.every((byte) => byte === 0));
  });

  test("grant tokens are handed on", async () => {
    const seen: (readonly string[] | undefined)[] = [];
    const client: KmsDiscoveryClient = {
      decrypt: async ({ GrantTokens }) => (seen.push(GrantTokens), Promise.reject(named("DisabledException"))),
    };
    for (const grantTokens of [[], ["token"]]) {
      await rejectsWith(
        kmsDiscoveryKeyring({ clients: { [WEST]: client }, filter, grantTokens }).onDecrypt(
          decryptionMaterials(randomBytes(32)),
          [edk(arn(WEST))],
          CALL,
        ),
        "regions-unavailable",
      );
    }
    assert.deepEqual(seen, [undefined, ["token"]]);
  });

  test("works with a client of the structural type that the multi-region keyring takes", async () => {
    const inMemory = new InMemoryKms(WEST);
    const client: KmsClient = inMemory;
    const { dataKey, keys } = await wrapped(multiRegionKeyring({ regions: [inMemory.asRegion], minimum: 1 }));
    const opened = await kmsDiscoveryKeyring({ clients: { [WEST]: client }, filter }).onDecrypt(
      decryptionMaterials(dataKey),
      keys,
      CALL,
    );
    assert.deepEqual(opened.dataKey?.bytes, dataKey);
  });

  test("options: there is no discovery without a filter, and problems are listed all at once", () => {
    const clients = { [WEST]: kms.client(WEST) };
    for (const wrong of [
      undefined,
      { partition: "aws", accounts: [] },
      { partition: "", accounts: [ACCOUNT] },
      { partition: "aws", accounts: ["*"] },
      { partition: "aws" },
    ]) {
      throwsWith(
        () => kmsDiscoveryKeyring({ clients, filter: wrong as unknown as KmsDiscoveryOptions["filter"] }),
        "option-invalid",
      );
    }
    const options = {
      clients: { "EU WEST": {} },
      filter: {},
      multiRegionKeys: "yes",
      grantTokens: [""],
      deadlineMs: 0,
      attemptTimeoutMs: -1,
    } as unknown as KmsDiscoveryOptions;
    const error = throwsWith(() => kmsDiscoveryKeyring(options), "option-invalid");
    for (const part of [
      "EU WEST",
      "no method decrypt",
      "filter.partition",
      "filter.accounts",
      "multiRegionKeys",
      "grantTokens",
      "deadlineMs",
      "attemptTimeoutMs",
    ]) {
      assert.ok(error.message.includes(part), `${part} is missing in: ${error.message}`);
    }
    throwsWith(() => kmsDiscoveryKeyring({ clients: {}, filter }), "option-invalid");
    assert.equal(KMS_DISCOVERY_DEFAULTS.multiRegionKeys, "own-region");
  });
});
