// A day in the life of a KMS, on its own clock: keys of every spec and usage, made, used every hour with every
// operation that there is, rotated by date and on demand, imported, expired, replicated, deleted when due.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { KeySpec, KeyUsage } from "../../src/keys/key-spec.ts";
import { KEY_SPECS } from "../../src/keys/key-spec.ts";
import type { Serving } from "../../test/command/serving.ts";
import { wrapMaterial } from "../../test/imported-material.ts";
import { controlHeader } from "../../test/running-kms.ts";
import { signedCall } from "../../test/signed-call.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const [HERE, THERE] = ["eu-west-1", "eu-west-2"] as const;
const PERIOD_DAYS = 90;
const WINDOW_DAYS = 7;
const ROOT = "arn:aws:iam::000000000000:root";
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON of any shape; a wrong path fails the call that uses it
type Members = Record<string, any>;

/** What the day left to look at. */
export interface Day {
  /** Operation -> number of calls. */
  readonly called: ReadonlyMap<string, number>;
  /** Every answer's body, errors included. */
  readonly answers: readonly Buffer[];
  /** What was brought along by its owner: material that was imported. */
  readonly imported: readonly { readonly name: string; readonly spec: KeySpec; readonly material: Buffer }[];
  /** Secrets that answers are made to contain: data keys, private halves of pairs, shared secrets, random bytes. */
  readonly handedOut: readonly { readonly name: string; readonly bytes: Buffer }[];
  /** Plaintexts that were sent to be encrypted. */
  readonly sent: readonly Buffer[];
  /** Ids of the keys that were deleted when due, or whose material expired. */
  readonly destroyed: readonly string[];
}

/** Members of answers that are secret by design, by operation. */
const HANDED_OUT: Readonly<Record<string, string>> = {
  GenerateDataKey: "Plaintext",
  GenerateDataKeyPair: "PrivateKeyPlaintext",
  GenerateRandom: "Plaintext",
  DeriveSharedSecret: "SharedSecret",
  Encapsulate: "SharedSecret",
  Decapsulate: "SharedSecret",
};

class Caller {
  readonly called = new Map<string, number>();
  readonly answers: Buffer[] = [];
  readonly handedOut: { name: string; bytes: Buffer }[] = [];
  readonly sent: Buffer[] = [];
  readonly #server: Serving;
  #now = Date.now();

  constructor(server: Serving) {
    this.#server = server;
  }

  get now(): number {
    return this.#now;
  }

  async #send(
    operation: string,
    body: object,
    region: string,
  ): Promise<{ status: number; text: string; json: Members }> {
    this.called.set(operation, (this.called.get(operation) ?? 0) + 1);
    const answer = await signedCall({
      endpoint: this.#server.endpoints[region]!,
      credentials: this.#server.credentials,
      region,
      operation,
      body,
      signingDate: new Date(this.#now),
    });
    this.answers.push(Buffer.from(answer.text));
    return answer;
  }

  /** A call that succeeds. */
  async ok(operation: string, body: object, region: string = HERE): Promise<Members> {
    const { status, text, json } = await this.#send(operation, body, region);
    assert.equal(status, 200, `${operation}: ${text}`);
    const secret = HANDED_OUT[operation];
    if (secret !== undefined)
      this.handedOut.push({ name: operation, bytes: Buffer.from(String(json[secret]), "base64") });
    return json;
  }

  /** A call that fails, whose answer is searched all the more. */
  async refused(operation: string, body: object, region: string = HERE): Promise<string> {
    const { status, text, json } = await this.#send(operation, body, region);
    assert.equal(status, 400, `${operation}: ${text}`);
    return String(json["__type"]);
  }

  async advance(advanceMs: number): Promise<void> {
    const response = await fetch(`${this.#server.faultsEndpoint!}/_strongroom/clock`, {
      method: "POST",
      headers: controlHeader(this.#server),
      body: JSON.stringify({ advanceMs }),
    });
    assert.equal(response.status, 200);
    this.#now = Date.parse(((await response.json()) as { now: string }).now);
  }
}

interface Key {
  readonly KeyId: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
}

const Message = base64("a message");

/** What a key of each usage is for. */
const USES: Readonly<Record<KeyUsage, (call: Caller, key: Key, algorithm: string) => Promise<void>>> = {
  async ENCRYPT_DECRYPT(call, { KeyId, spec }, EncryptionAlgorithm) {
    const plaintext = randomBytes(64);
    call.sent.push(plaintext);
    const { CiphertextBlob } = await call.ok("Encrypt", { KeyId, Plaintext: base64(plaintext), EncryptionAlgorithm });
    await call.ok("Decrypt", { KeyId, CiphertextBlob, EncryptionAlgorithm });
    await call.ok("ReEncrypt", {
      CiphertextBlob,
      SourceKeyId: KeyId,
      SourceEncryptionAlgorithm: EncryptionAlgorithm,
      DestinationKeyId: KeyId,
      DestinationEncryptionAlgorithm: EncryptionAlgorithm,
    });
    if (spec !== "SYMMETRIC_DEFAULT") return;
    await call.refused("Decrypt", { CiphertextBlob, EncryptionContext: { wrong: "context" } });
    await call.ok("GenerateDataKey", { KeyId, KeySpec: "AES_256" });
    await call.ok("GenerateDataKeyWithoutPlaintext", { KeyId, KeySpec: "AES_256" });
    await call.ok("GenerateDataKeyPair", { KeyId, KeyPairSpec: "ECC_NIST_P256" });
    await call.ok("GenerateDataKeyPairWithoutPlaintext", { KeyId, KeyPairSpec: "ECC_NIST_P256" });
  },
  async SIGN_VERIFY(call, { KeyId }, SigningAlgorithm) {
    const request = {
      KeyId,
      SigningAlgorithm,
      ...(SigningAlgorithm.includes("_PH_")
        ? { MessageType: "DIGEST", Message: base64(Buffer.alloc(64, 1)) }
        : { Message }),
    };
    const { Signature } = await call.ok("Sign", request);
    await call.ok("Verify", { ...request, Signature });
    await call.refused("Verify", { ...request, Signature: base64(Buffer.from(Signature, "base64").fill(7, 0, 8)) });
    await call.ok("GetPublicKey", { KeyId });
  },
  async GENERATE_VERIFY_MAC(call, { KeyId }, MacAlgorithm) {
    const { Mac } = await call.ok("GenerateMac", { KeyId, Message, MacAlgorithm });
    await call.ok("VerifyMac", { KeyId, Message, MacAlgorithm, Mac });
    await call.refused("VerifyMac", { KeyId, Message: base64("another"), MacAlgorithm, Mac });
  },
  async KEY_AGREEMENT(call, { KeyId }, KeyAgreementAlgorithm) {
    const { PublicKey } = await call.ok("GetPublicKey", { KeyId });
    await call.ok("DeriveSharedSecret", { KeyId, KeyAgreementAlgorithm, PublicKey });
  },
  async ENCAPSULATE_DECAPSULATE(call, { KeyId }, EncapsulationAlgorithm) {
    const { SharedSecretCiphertextBlob } = await call.ok("Encapsulate", { KeyId, EncapsulationAlgorithm });
    await call.ok("Decapsulate", { KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob });
  },
};

async function use(call: Caller, key: Key, hour: number): Promise<void> {
  const algorithms = KEY_SPECS[key.spec].algorithms[key.usage] ?? [];
  await USES[key.usage](call, key, algorithms[hour % algorithms.length] ?? "");
}

async function make(call: Caller, spec: KeySpec, usage: KeyUsage, more: object = {}): Promise<Key> {
  const { KeyMetadata } = await call.ok("CreateKey", { KeySpec: spec, KeyUsage: usage, ...more });
  return { KeyId: (KeyMetadata as Members)["KeyId"] as string, spec, usage };
}

/** Brings material into an EXTERNAL key. */
async function bring(call: Caller, { KeyId }: Key, material: Uint8Array, more: object): Promise<void> {
  const WrappingAlgorithm = material.length > 128 ? "RSA_AES_KEY_WRAP_SHA_256" : "RSAES_OAEP_SHA_256";
  const { ImportToken, PublicKey } = await call.ok("GetParametersForImport", {
    KeyId,
    WrappingAlgorithm,
    WrappingKeySpec: "RSA_2048",
  });
  await call.ok("ImportKeyMaterial", {
    KeyId,
    ImportToken,
    EncryptedKeyMaterial: wrapMaterial(WrappingAlgorithm, PublicKey, material),
    ...more,
  });
}

const FOR_EVER = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };

/**
 * Lives the day. `look` is called every hour: material that is destroyed later is known from then.
 */
export async function liveTheDay(server: Serving, look: () => void): Promise<Day> {
  const call = new Caller(server);
  const destroyed: string[] = [];
  const imported: Day["imported"][number][] = [];
  const own = (name: string, spec: KeySpec, material: Buffer): Buffer => {
    imported.push({ name, spec, material });
    return material;
  };

  // Made long enough before, so that within the day dates fall due: hour 6 a deletion, hour 12 a rotation.
  const keys: Key[] = [];
  for (const [spec, { algorithms }] of Object.entries(KEY_SPECS) as [KeySpec, (typeof KEY_SPECS)[KeySpec]][]) {
    for (const usage of Object.keys(algorithms) as KeyUsage[]) keys.push(await make(call, spec, usage));
  }
  const symmetric = keys.find((key) => key.spec === "SYMMETRIC_DEFAULT")!;
  await call.ok("EnableKeyRotation", { KeyId: symmetric.KeyId, RotationPeriodInDays: PERIOD_DAYS });
  const doomed = [
    await make(call, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    await make(call, "RSA_2048", "SIGN_VERIFY"),
    await make(call, "ECC_NIST_P384", "SIGN_VERIFY"),
  ];
  for (const key of doomed) await use(call, key, 0);
  look();
  await call.advance((PERIOD_DAYS - WINDOW_DAYS) * DAY - 6 * HOUR);
  for (const { KeyId } of doomed) {
    await call.ok("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: WINDOW_DAYS });
    destroyed.push(KeyId);
  }
  await call.advance(WINDOW_DAYS * DAY - 6 * HOUR);

  const external = await make(call, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", { Origin: "EXTERNAL" });
  await bring(call, external, own("imported for ever", "SYMMETRIC_DEFAULT", randomBytes(32)), FOR_EVER);
  const expiring = await make(call, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", { Origin: "EXTERNAL" });
  await bring(call, expiring, own("imported until hour 18", "SYMMETRIC_DEFAULT", randomBytes(32)), {
    ValidTo: Math.floor((call.now + 18 * HOUR) / 1000),
  });
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  const signer = await make(call, "RSA_2048", "SIGN_VERIFY", { Origin: "EXTERNAL" });
  await bring(call, signer, own("imported RSA key", "RSA_2048", pair.privateKey), FOR_EVER);
  const everywhere = await make(call, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", { MultiRegion: true });
  await call.ok("ReplicateKey", { KeyId: everywhere.KeyId, ReplicaRegion: THERE });
  keys.push(external, signer, everywhere);

  for (let hour = 0; hour < 24; hour++) {
    for (const key of keys) await use(call, key, hour);
    await administer(call, hour, {
      symmetric,
      external,
      expiring,
      everywhere,
      brought: (name) => own(name, "SYMMETRIC_DEFAULT", randomBytes(32)),
    });
    look();
    await call.advance(HOUR);
  }
  for (const { KeyId } of doomed) assert.equal(await call.refused("DescribeKey", { KeyId }), "NotFoundException");
  assert.equal((await call.ok("DescribeKey", { KeyId: expiring.KeyId }))["KeyMetadata"].KeyState, "PendingImport");
  const { Rotations } = await call.ok("ListKeyRotations", { KeyId: symmetric.KeyId });
  assert.deepEqual([...new Set((Rotations as Members[]).map((one) => String(one["RotationType"])))].sort(), [
    "AUTOMATIC",
    "ON_DEMAND",
  ]);
  look();
  return {
    called: call.called,
    answers: call.answers,
    imported,
    handedOut: call.handedOut,
    sent: call.sent,
    destroyed: [...destroyed, expiring.KeyId],
  };
}

interface Subjects {
  readonly symmetric: Key;
  readonly external: Key;
  readonly expiring: Key;
  readonly everywhere: Key;
  readonly brought: (name: string) => Buffer;
}

/** What is done to keys beside using them: every operation for it, every hour or at its hour. */
async function administer(
  call: Caller,
  hour: number,
  { symmetric, external, expiring, everywhere, brought }: Subjects,
): Promise<void> {
  const { KeyId } = symmetric;
  await call.ok("GenerateRandom", { NumberOfBytes: 32 });
  await call.ok("ListKeys", {});
  await call.ok("DescribeKey", { KeyId });
  await call.ok("GetKeyLastUsage", { KeyId });
  await call.ok("UpdateKeyDescription", { KeyId, Description: `hour ${hour}` });

  const AliasName = `alias/hour-${hour}`;
  await call.ok("CreateAlias", { AliasName, TargetKeyId: KeyId });
  await call.ok("UpdateAlias", { AliasName, TargetKeyId: everywhere.KeyId });
  await call.ok("ListAliases", {});
  await call.ok("DeleteAlias", { AliasName });

  const { Policy } = await call.ok("GetKeyPolicy", { KeyId, PolicyName: "default" });
  await call.ok("PutKeyPolicy", { KeyId, PolicyName: "default", Policy });
  await call.ok("ListKeyPolicies", { KeyId });
  await call.ok("TagResource", { KeyId, Tags: [{ TagKey: "hour", TagValue: String(hour) }] });
  await call.ok("ListResourceTags", { KeyId });
  await call.ok("UntagResource", { KeyId, TagKeys: ["hour"] });

  const grant = {
    KeyId,
    GranteePrincipal: ROOT,
    RetiringPrincipal: ROOT,
    Operations: ["Decrypt"],
    Constraints: { EncryptionContextSubset: { hour: String(hour) } },
  };
  const [retired, revoked] = [
    await call.ok("CreateGrant", { ...grant, Name: "retired" }),
    await call.ok("CreateGrant", { ...grant, Name: "revoked" }),
  ];
  await call.ok("ListGrants", { KeyId });
  await call.ok("ListRetirableGrants", { RetiringPrincipal: ROOT });
  await call.ok("RetireGrant", { GrantToken: retired["GrantToken"] });
  await call.ok("RevokeGrant", { KeyId, GrantId: revoked["GrantId"] });

  await call.ok("GetKeyRotationStatus", { KeyId });
  await call.ok("ListKeyRotations", { KeyId });
  // AWS allows 25 in a key's life.
  if (hour % 6 === 0) {
    await call.ok("RotateKeyOnDemand", { KeyId });
    await call.ok("RotateKeyOnDemand", { KeyId: everywhere.KeyId });
    await bring(call, external, brought(`imported for the rotation of hour ${hour}`), {
      ...FOR_EVER,
      ImportType: "NEW_KEY_MATERIAL",
    });
    await call.ok("RotateKeyOnDemand", { KeyId: external.KeyId });
    await call.ok("UpdatePrimaryRegion", { KeyId: everywhere.KeyId, PrimaryRegion: THERE });
    await call.ok("UpdatePrimaryRegion", { KeyId: everywhere.KeyId, PrimaryRegion: HERE }, THERE);
  }

  const passing = await make(call, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", { Origin: "EXTERNAL" });
  await bring(call, passing, brought(`imported and deleted in hour ${hour}`), FOR_EVER);
  await use(call, passing, hour);
  await call.ok("DeleteImportedKeyMaterial", { KeyId: passing.KeyId });
  await call.ok("ScheduleKeyDeletion", { KeyId: passing.KeyId, PendingWindowInDays: WINDOW_DAYS });
  await call.ok("CancelKeyDeletion", { KeyId: passing.KeyId });

  const short = await make(call, "HMAC_256", "GENERATE_VERIFY_MAC");
  await call.ok("DisableKey", { KeyId: short.KeyId });
  assert.equal(
    await call.refused("GenerateMac", { KeyId: short.KeyId, Message, MacAlgorithm: "HMAC_SHA_256" }),
    "DisabledException",
  );
  await call.ok("EnableKey", { KeyId: short.KeyId });
  const rotating = await make(call, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  await call.ok("EnableKeyRotation", { KeyId: rotating.KeyId });
  await call.ok("DisableKeyRotation", { KeyId: rotating.KeyId });

  if (hour < 18) await use(call, expiring, hour);
  else
    assert.equal(
      await call.refused("Encrypt", { KeyId: expiring.KeyId, Plaintext: Message }),
      "KMSInvalidStateException",
    );

  // No account here has a custom key store; the answers are AWS's, and are searched as well.
  const CustomKeyStoreId = "cks-1234567890abcdef0";
  await call.refused("CreateCustomKeyStore", {
    CustomKeyStoreName: "store",
    CustomKeyStoreType: "EXTERNAL_KEY_STORE",
    KeyStorePassword: "a password",
  });
  await call.ok("DescribeCustomKeyStores", {});
  for (const operation of ["ConnectCustomKeyStore", "DisconnectCustomKeyStore", "DeleteCustomKeyStore"])
    await call.refused(operation, { CustomKeyStoreId });
  await call.refused("UpdateCustomKeyStore", { CustomKeyStoreId, NewCustomKeyStoreName: "another" });
}
