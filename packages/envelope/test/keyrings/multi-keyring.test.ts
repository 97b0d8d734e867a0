import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import {
  buildClient,
  CommitmentPolicy,
  MultiKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";
import { decrypt, encrypt, EnvelopeError, rawAesKeyring } from "@strongroom/envelope";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { InMemoryKms, named } from "../support/in-memory-kms.ts";

const aes = (keyName: string, wrappingKey = randomBytes(32)): Keyring =>
  rawAesKeyring({ keyNamespace: "hsm", keyName, wrappingKey });
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaWriter = rawRsaKeyring({ keyNamespace: "hsm", keyName: "rsa", publicKey });
const rsaReader = rawRsaKeyring({ keyNamespace: "hsm", keyName: "rsa", privateKey });
const encryptionContext = { id: "42" };
const plaintext = Buffer.from("a name");
const CALL = { signal: undefined };

keyringContract({
  name: "multi-keyring",
  existingDataKeys: "none",
  setup: () => {
    const wrappingKey = randomBytes(32);
    return {
      writer: multiKeyring({ generator: aes("a", wrappingKey) }),
      reader: multiKeyring({ children: [rsaReader, aes("b"), aes("a", wrappingKey)] }),
      stranger: multiKeyring({ generator: aes("a"), children: [aes("a")] }),
    };
  },
});

function recording(keyring: Keyring, log: string[], name: string): Keyring {
  return {
    onEncrypt: (materials, call) => (log.push(name), keyring.onEncrypt(materials, call)),
    onDecrypt: (materials, keys, call) => (log.push(name), keyring.onDecrypt(materials, keys, call)),
  };
}

function failing(error: unknown): Keyring {
  const fail = async (): Promise<never> => {
    throw error;
  };
  return { onEncrypt: fail, onDecrypt: fail };
}

describe("multi-keyring", () => {
  test("every keyring wraps the one data key, and any one of them opens the message", async () => {
    const [a, b] = [aes("a"), aes("b")];
    const { message, encryptedDataKeys } = await encrypt(plaintext, {
      keyring: multiKeyring({ generator: a, children: [b, rsaWriter] }),
      encryptionContext,
    });
    assert.equal(encryptedDataKeys.length, 3);
    for (const keyring of [a, b, rsaReader, multiKeyring({ children: [aes("c"), rsaReader] })]) {
      assert.deepEqual(Buffer.from((await decrypt(message, { keyring, encryptionContext })).plaintext), plaintext);
    }
  });

  test("asks the generator first, then the children in their order, and stops at the first that opens", async () => {
    const log: string[] = [];
    const keyring = multiKeyring({
      generator: recording(aes("a"), log, "generator"),
      children: [recording(aes("b"), log, "first"), recording(aes("c"), log, "second")],
    });
    const { dataKey, keys } = await wrapped(keyring);
    assert.deepEqual(log.splice(0), ["generator", "first", "second"]);
    await keyring.onDecrypt(decryptionMaterials(dataKey), keys.slice(1), CALL);
    assert.deepEqual(log, ["generator", "first"]);
  });

  test("messages cross with the AWS Encryption SDK for JavaScript", async () => {
    const keys = [randomBytes(32), randomBytes(32)];
    const theirs = keys.map(
      (each, index) =>
        new RawAesKeyringNode({
          keyNamespace: "hsm",
          keyName: `k${index}`,
          unencryptedMasterKey: Uint8Array.from(each),
          utf8Sorting: true,
          wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
        }),
    );
    const [first, second] = keys.map((each, index) => aes(`k${index}`, each));
    const ours = multiKeyring({ generator: first!, children: [second!] });
    const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const { message } = await encrypt(plaintext, { keyring: ours, encryptionContext });
    for (const each of theirs) assert.deepEqual((await client.decrypt(each, message)).plaintext, plaintext);
    const { result } = await client.encrypt(
      new MultiKeyringNode({ generator: theirs[0]!, children: [theirs[1]!] }),
      plaintext,
      { encryptionContext },
    );
    for (const keyring of [ours, multiKeyring({ children: [second!] })]) {
      assert.deepEqual(Buffer.from((await decrypt(result, { keyring, encryptionContext })).plaintext), plaintext);
    }
  });

  test("a child that fails to wrap fails the whole, and the data key is wiped", async () => {
    let made: Uint8Array | undefined;
    const generator: Keyring = {
      ...aes("a"),
      async onEncrypt(materials, call) {
        const result = await aes("a").onEncrypt(materials, call);
        made = result.dataKey?.bytes;
        return result;
      },
    };
    const keyring = multiKeyring({ generator, children: [failing(new EnvelopeError("wrap-failed", "no"))] });
    await rejectsWith(keyring.onEncrypt(encryptionMaterials(), CALL), "wrap-failed");
    assert.ok(made?.every((byte) => byte === 0));
  });

  test("without a generator it wraps only a data key that exists already; with one it makes its own", async () => {
    const childrenOnly = multiKeyring({ children: [aes("a")] });
    await rejectsWith(childrenOnly.onEncrypt(encryptionMaterials(), CALL), "keyring-unsuitable");
    const dataKey = SecretBytes.copyOf(randomBytes(32));
    assert.equal((await childrenOnly.onEncrypt(encryptionMaterials({ dataKey }), CALL)).encryptedDataKeys.length, 1);
    const generating = multiKeyring({ generator: aes("a") });
    await rejectsWith(generating.onEncrypt(encryptionMaterials({ dataKey }), CALL), "keyring-unsuitable");
    assert.equal(dataKey.wiped, false);
  });

  test("a generator that makes no data key is found out", async () => {
    const lazy: Keyring = { ...aes("a"), onEncrypt: async (materials) => materials };
    await rejectsWith(multiKeyring({ generator: lazy }).onEncrypt(encryptionMaterials(), CALL), "wrap-failed");
  });

  test("missing wraps of one keyring are not hidden behind the report of the next", async () => {
    const kms = ["eu-west-1", "eu-west-2", "eu-central-1", "us-east-1"].map((region) => new InMemoryKms(region));
    kms[1]!.fault = { kind: "throws", error: named("DisabledException") };
    const [first, second] = [kms.slice(0, 2), kms.slice(2)].map((group) =>
      multiRegionKeyring({ regions: group.map((each) => each.asRegion), minimum: 1 }),
    );
    const { wraps } = await encrypt(plaintext, {
      keyring: multiKeyring({ generator: first!, children: [aes("a"), second!] }),
      encryptionContext,
    });
    assert.deepEqual([wraps?.target, wraps?.minimum], [4, 2]);
    assert.deepEqual(
      wraps?.stored.map(({ region }) => region),
      ["eu-west-1", "eu-central-1", "us-east-1"],
    );
    assert.deepEqual(
      wraps.missing.map(({ region, reason }) => [region, reason]),
      [["eu-west-2", "key-disabled"]],
    );
  });
});

describe("multi-keyring, when nothing opens", () => {
  test("says of every encrypted data key what came of it, and keeps what each keyring said", async () => {
    const kms = new InMemoryKms("eu-west-1");
    const regional = multiRegionKeyring({ regions: [kms.asRegion], minimum: 1 });
    const { message } = await encrypt(plaintext, {
      keyring: multiKeyring({ generator: regional, children: [aes("a"), aes("b")] }),
      encryptionContext,
    });
    kms.fault = { kind: "throws", error: named("AccessDeniedException") };
    const error = await rejectsWith(
      decrypt(message, {
        keyring: multiKeyring({ generator: regional, children: [aes("b"), rsaWriter] }),
        encryptionContext,
      }),
      "regions-unavailable",
    );
    assert.deepEqual(
      error.encryptedDataKeys?.map(({ outcome }) => outcome),
      ["access-denied", "not-configured", "does-not-open"],
    );
    assert.deepEqual(
      error.attempts?.map(({ region, reason }) => [region, reason]),
      [["eu-west-1", "access-denied"]],
    );
    assert.ok(error.cause instanceof AggregateError && error.cause.errors.length === 2);
  });

  test("an outage weighs more than a refusal by another keyring for the same key", async () => {
    const kms = new InMemoryKms("eu-west-1");
    const imposter = new InMemoryKms("eu-west-1");
    const { dataKey, keys } = await wrapped(multiRegionKeyring({ regions: [kms.asRegion], minimum: 1 }));
    kms.fault = { kind: "throws", error: named("DisabledException") };
    const children = [imposter, kms].map((each) => multiRegionKeyring({ regions: [each.asRegion], minimum: 1 }));
    const error = await rejectsWith(
      multiKeyring({ children }).onDecrypt(decryptionMaterials(dataKey), keys, CALL),
      "regions-unavailable",
    );
    assert.deepEqual(
      error.encryptedDataKeys?.map(({ outcome }) => outcome),
      ["key-disabled"],
    );
  });

  test("keyrings that only encrypt play no part", async () => {
    const { dataKey, keys } = await wrapped(aes("a"));
    await rejectsWith(
      multiKeyring({ children: [rsaWriter, aes("b")] }).onDecrypt(decryptionMaterials(dataKey), keys, CALL),
      "no-matching-key",
    );
    await rejectsWith(
      multiKeyring({ children: [rsaWriter] }).onDecrypt(decryptionMaterials(dataKey), keys, CALL),
      "keyring-unsuitable",
    );
  });

  test("a special code comes through, and an error of somebody else's is in the cause only", async () => {
    const { dataKey, keys } = await wrapped(aes("a"));
    const slow = failing(new EnvelopeError("deadline-exceeded", "too slow"));
    await rejectsWith(
      multiKeyring({ children: [aes("b"), slow] }).onDecrypt(decryptionMaterials(dataKey), keys, CALL),
      "deadline-exceeded",
    );
    const foreign = new Error("with a secret in its text");
    const error = await rejectsWith(
      multiKeyring({ children: [aes("b"), failing(foreign)] }).onDecrypt(decryptionMaterials(dataKey), keys, CALL),
      "no-matching-key",
    );
    assert.ok(!error.message.includes("secret"));
    assert.ok(error.cause instanceof AggregateError && error.cause.errors.includes(foreign));
  });

  test("an abort ends it at once", async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const aborting: Keyring = {
      ...aes("a"),
      onDecrypt: async () => {
        controller.abort();
        throw new Error("gave up");
      },
    };
    const keyring = multiKeyring({ children: [aborting, recording(aes("b"), log, "next")] });
    await rejectsWith(
      keyring.onDecrypt(decryptionMaterials(randomBytes(32)), [], { signal: controller.signal }),
      "aborted",
    );
    assert.deepEqual(log, []);
  });
});

test("options: problems are listed all at once", () => {
  const error = throwsWith(
    () => multiKeyring({ generator: {} as Keyring, children: [aes("a"), null as unknown as Keyring] }),
    "option-invalid",
  );
  for (const part of ["generator must be a keyring", "children[1] must be a keyring"])
    assert.ok(error.message.includes(part));
  throwsWith(() => multiKeyring({}), "option-invalid");
  throwsWith(() => multiKeyring({ children: [] }), "option-invalid");
});
