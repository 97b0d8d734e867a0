import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { decrypt, encrypt } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { KMS_ECDH_DEFAULTS, kmsEcdhKeyring } from "@strongroom/envelope/aws-kms-ecdh";
import type { EcdhCurve, KmsEcdhClient, KmsEcdhKeyringOptions, KmsEcdhSchema } from "@strongroom/envelope/aws-kms-ecdh";
import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
import { decryptionMaterials, encryptionMaterials, keyringContract, wrapped } from "../keyring-contract.ts";
import { rejectsWith } from "../support/errors.ts";
import { named } from "../support/in-memory-kms.ts";
import { createKey, runningKms } from "../support/running-kms.ts";

const REGION = "eu-west-1";
const kms = await runningKms(REGION);
const client = kms.client(REGION);
const CALL = { signal: undefined };
const PATIENT = { attemptTimeoutMs: 20_000, deadlineMs: 30_000 };
const encryptionContext = { id: "42" };
const CURVES = ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] as const;
const NAMES = { ECC_NIST_P256: "prime256v1", ECC_NIST_P384: "secp384r1", ECC_NIST_P521: "secp521r1" } as const;

interface KmsKey {
  readonly arn: string;
  readonly der: Buffer;
}

async function agreementKey(curve: EcdhCurve): Promise<KmsKey> {
  const arn = await createKey(client, { KeySpec: curve, KeyUsage: "KEY_AGREEMENT" });
  return { arn, der: Buffer.from((await client.getPublicKey({ KeyId: arn })).PublicKey!) };
}

const fixed = (mine: KmsKey, theirs: Uint8Array): KmsEcdhSchema => ({
  kind: "KmsPrivateKeyToStaticPublicKey",
  senderKeyArn: mine.arn,
  recipientPublicKey: theirs,
});
const discovery = (mine: KmsKey): KmsEcdhSchema => ({ kind: "KmsPublicKeyDiscovery", recipientKeyArn: mine.arn });
const keyringFor = (curve: EcdhCurve, schema: KmsEcdhSchema): Promise<Keyring> =>
  kmsEcdhKeyring({ curve, schema, client, ...PATIENT });

for (const curve of CURVES) {
  const [alice, bob, eve] = await Promise.all([agreementKey(curve), agreementKey(curve), agreementKey(curve)]);

  keyringContract({
    name: `AWS KMS ECDH, KmsPrivateKeyToStaticPublicKey, ${curve}, against the project's KMS`,
    flipEvery: curve === "ECC_NIST_P256" ? 61 : 199,
    setup: async () => ({
      writer: await keyringFor(curve, fixed(alice, bob.der)),
      reader: await keyringFor(curve, fixed(bob, alice.der)),
      stranger: await keyringFor(curve, fixed(eve, alice.der)),
    }),
  });

  describe(`AWS KMS ECDH keyring, ${curve}`, () => {
    test("discovery reads what anyone wrote to its key; both sides read both directions", async () => {
      const there = await keyringFor(curve, fixed(alice, bob.der));
      const back = await keyringFor(curve, fixed(bob, alice.der));
      for (const [writer, recipient] of [
        [there, bob],
        [back, alice],
      ] as const) {
        const { message, encryptedDataKeys } = await encrypt(Buffer.from("x"), { keyring: writer, encryptionContext });
        assert.equal(encryptedDataKeys[0]?.providerId, "aws-kms-ecdh");
        for (const reader of [there, back, await keyringFor(curve, discovery(recipient))])
          await decrypt(message, { keyring: reader, encryptionContext });
        await rejectsWith(
          decrypt(message, { keyring: await keyringFor(curve, discovery(eve)), encryptionContext }),
          "no-matching-key",
        );
      }
    });

    test("messages cross with the raw ECDH keyring", async () => {
      const carol = generateKeyPairSync("ec", { namedCurve: NAMES[curve] });
      const carolDer = carol.publicKey.export({ format: "der", type: "spki" });
      const ours = await keyringFor(curve, fixed(alice, carolDer));
      const theirs = rawEcdhKeyring({
        curve,
        schema: {
          kind: "RawPrivateKeyToStaticPublicKey",
          senderPrivateKey: carol.privateKey,
          recipientPublicKey: alice.der,
        },
      });
      const anonymous = rawEcdhKeyring({
        curve,
        schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: alice.der },
      });
      const carolAlone = rawEcdhKeyring({
        curve,
        schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: carol.privateKey },
      });
      const aliceAlone = await keyringFor(curve, discovery(alice));
      for (const [writer, readers] of [
        [ours, [theirs, carolAlone, ours]],
        [theirs, [ours, aliceAlone, theirs]],
        [anonymous, [aliceAlone]],
      ] as const) {
        const { message } = await encrypt(Buffer.from("x"), { keyring: writer, encryptionContext });
        for (const keyring of readers) await decrypt(message, { keyring, encryptionContext });
      }
    });
  });
}

/** Answers as told; counts what it is asked. */
function scripted(answers: Partial<KmsEcdhClient>, log: string[] = []): KmsEcdhClient {
  return {
    deriveSharedSecret: (input, options) => (
      log.push("DeriveSharedSecret"),
      (answers.deriveSharedSecret ?? client.deriveSharedSecret.bind(client))(input, options)
    ),
    getPublicKey: (input, options) => (
      log.push("GetPublicKey"),
      (answers.getPublicKey ?? client.getPublicKey.bind(client))(input, options)
    ),
  };
}

describe("AWS KMS ECDH keyring", async () => {
  const curve = "ECC_NIST_P256";
  const [alice, bob] = await Promise.all([agreementKey(curve), agreementKey(curve)]);

  test("a public key that is given is not asked for", async () => {
    const log: string[] = [];
    const schema: KmsEcdhSchema = {
      kind: "KmsPrivateKeyToStaticPublicKey",
      senderKeyArn: alice.arn,
      senderPublicKey: createPublicKey({ key: alice.der, format: "der", type: "spki" }),
      recipientPublicKey: bob.der,
    };
    const keyring = await kmsEcdhKeyring({ curve, schema, client: scripted({}, log), ...PATIENT });
    const { message } = await encrypt(Buffer.from("x"), { keyring, encryptionContext });
    await decrypt(message, { keyring: await keyringFor(curve, discovery(bob)), encryptionContext });
    assert.deepEqual(log, ["DeriveSharedSecret"]);
  });

  test("a key for something else, or of another curve, is refused at once", async () => {
    const signing = await createKey(client, { KeySpec: curve, KeyUsage: "SIGN_VERIFY" });
    const symmetric = await createKey(client);
    const wide = await agreementKey("ECC_NIST_P384");
    for (const recipientKeyArn of [signing, symmetric, wide.arn, `${alice.arn}0`]) {
      const error = await rejectsWith(
        keyringFor(curve, { kind: "KmsPublicKeyDiscovery", recipientKeyArn }),
        "keyring-unsuitable",
      );
      assert.ok(error.message.includes(recipientKeyArn));
    }
  });

  test("discovery cannot encrypt", async () => {
    await rejectsWith(
      (await keyringFor(curve, discovery(alice))).onEncrypt(encryptionMaterials(), CALL),
      "keyring-unsuitable",
    );
  });

  test("a shared secret of another key, of a wrong length or from an error is not used, and wiped", async () => {
    const { dataKey, keys } = await wrapped(await keyringFor(curve, fixed(alice, bob.der)));
    const secret = (): Buffer => randomBytes(32);
    for (const [answer, outcome, code] of [
      [
        { KeyId: bob.arn, KeyAgreementAlgorithm: "ECDH", SharedSecret: secret() },
        "wrong-key-id",
        "regions-unavailable",
      ],
      [{ KeyId: alice.arn, KeyAgreementAlgorithm: "X", SharedSecret: secret() }, "server-error", "regions-unavailable"],
      [
        { KeyId: alice.arn, KeyAgreementAlgorithm: "ECDH", SharedSecret: randomBytes(31) },
        "wrong-key-length",
        "regions-unavailable",
      ],
      [
        { KeyId: alice.arn, KeyAgreementAlgorithm: "ECDH", SharedSecret: secret() },
        "does-not-open",
        "decryption-failed",
      ],
    ] as const) {
      const keyring = await kmsEcdhKeyring({
        curve,
        schema: fixed(alice, bob.der),
        client: scripted({ deriveSharedSecret: async () => answer }),
        ...PATIENT,
      });
      const error = await rejectsWith(keyring.onDecrypt(decryptionMaterials(dataKey), keys, CALL), code);
      assert.deepEqual(
        error.encryptedDataKeys?.map((each) => each.outcome),
        [outcome],
      );
      assert.ok(answer.SharedSecret.every((byte) => byte === 0));
      if (outcome === "does-not-open") continue;
      const failed = await rejectsWith(keyring.onEncrypt(encryptionMaterials(), CALL), "wrap-failed");
      assert.deepEqual(
        failed.attempts?.map(({ operation, reason }) => [operation, reason]),
        [["DeriveSharedSecret", outcome]],
      );
    }
    const refusing = await kmsEcdhKeyring({
      curve,
      schema: fixed(alice, bob.der),
      client: scripted({ deriveSharedSecret: async () => Promise.reject(named("AccessDeniedException")) }),
      ...PATIENT,
    });
    const refused = await rejectsWith(
      refusing.onDecrypt(decryptionMaterials(dataKey), keys, CALL),
      "regions-unavailable",
    );
    assert.deepEqual(
      refused.attempts?.map(({ reason, errorName }) => [reason, errorName]),
      [["access-denied", "AccessDeniedException"]],
    );
  });

  test("a sender's key that is no point on the curve never reaches the KMS", async () => {
    const log: string[] = [];
    const { dataKey, keys } = await wrapped(await keyringFor(curve, fixed(alice, bob.der)));
    const keyring = await kmsEcdhKeyring({
      curve,
      schema: { ...discovery(bob), recipientPublicKey: bob.der },
      client: scripted({}, log),
      ...PATIENT,
    });
    const providerInfo = Buffer.concat([
      Buffer.from(keys[0]!.providerInfo).subarray(0, 42),
      Buffer.of(2),
      Buffer.alloc(32, 0xff),
    ]);
    await rejectsWith(
      keyring.onDecrypt(decryptionMaterials(dataKey), [{ ...keys[0]!, providerInfo }], CALL),
      "decryption-failed",
    );
    assert.deepEqual(log, []);
  });

  test("the question for the public key is bounded in time, and can be aborted", async () => {
    const silent = scripted({ getPublicKey: () => new Promise(() => undefined) });
    const schema = discovery(bob);
    const error = await rejectsWith(
      kmsEcdhKeyring({ curve, schema, client: silent, attemptTimeoutMs: 20 }),
      "keyring-unsuitable",
    );
    assert.deepEqual(
      error.attempts?.map(({ operation, reason }) => [operation, reason]),
      [["GetPublicKey", "timeout"]],
    );
    await rejectsWith(kmsEcdhKeyring({ curve, schema, client: silent, signal: AbortSignal.timeout(20) }), "aborted");
  });

  test("options: problems are listed all at once", async () => {
    const wide = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).publicKey;
    const schema = {
      kind: "KmsPrivateKeyToStaticPublicKey",
      senderKeyArn: "alias/ecdh",
      senderPublicKey: wide,
      recipientPublicKey: "PEM",
    };
    const error = await rejectsWith(
      kmsEcdhKeyring({ curve, schema, client: {}, deadlineMs: -1 } as unknown as KmsEcdhKeyringOptions),
      "option-invalid",
    );
    for (const part of ["senderKeyArn", "senderPublicKey", "recipientPublicKey", "deriveSharedSecret", "deadlineMs"])
      assert.ok(error.message.includes(part), part);
    await rejectsWith(
      kmsEcdhKeyring({ curve: "SM2" as EcdhCurve, schema: discovery(alice), client }),
      "option-invalid",
    );
    await rejectsWith(
      kmsEcdhKeyring({ curve, schema: { kind: "Static" } as unknown as KmsEcdhSchema, client }),
      "option-invalid",
    );
    assert.equal(KMS_ECDH_DEFAULTS.deadlineMs, 5_000);
  });
});
