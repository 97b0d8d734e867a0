// The table of key states, asked of the server: every operation on a key that is disabled, pending deletion and pending
// import, as the page docs/kms.md says.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { STATE_RULES } from "../../src/keys/key-rules.ts";
import { base64, bench } from "../behaviours/behaviour.ts";
import type { Bench, Members } from "../behaviours/behaviour.ts";
import { wrapMaterial } from "../imported-material.ts";
import { KEY_STATES, admits } from "../key-states.ts";
import type { StateName } from "../key-states.ts";

const ROOT = "arn:aws:iam::000000000000:root";
const Message = base64("m");
const digest = base64(createHash("sha256").update("m").digest());

/** A kind of key, how it is made and what is made with it while it works. */
const KINDS = {
  symmetric: {
    spec: {},
    made: async (b: Bench, KeyId: string) => ({
      CiphertextBlob: (await b.ok("Encrypt", { KeyId, Plaintext: Message }))["CiphertextBlob"],
    }),
  },
  signing: {
    spec: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    made: async (b: Bench, KeyId: string) =>
      b.ok("Sign", { KeyId, Message: digest, MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" }),
  },
  mac: {
    spec: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
    made: async (b: Bench, KeyId: string) => b.ok("GenerateMac", { KeyId, Message, MacAlgorithm: "HMAC_SHA_256" }),
  },
  agreement: {
    spec: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
    made: async (b: Bench, KeyId: string) => b.ok("GetPublicKey", { KeyId }),
  },
  encapsulation: {
    spec: { KeySpec: "ML_KEM_512", KeyUsage: "ENCAPSULATE_DECAPSULATE" },
    made: async (b: Bench, KeyId: string) => b.ok("Encapsulate", { KeyId, EncapsulationAlgorithm: "ML_KEM" }),
  },
} as const;
type Kind = keyof typeof KINDS;

/** The kind of key that an operation is tried on, if not a symmetric one, and its request beside KeyId. */
const REQUESTS: Readonly<Record<string, readonly [Kind, (made: Members) => object]>> = {
  Encrypt: ["symmetric", () => ({ Plaintext: Message })],
  Decrypt: ["symmetric", ({ CiphertextBlob }) => ({ CiphertextBlob })],
  ReEncrypt: [
    "symmetric",
    ({ CiphertextBlob, KeyId }) => ({ CiphertextBlob, DestinationKeyId: KeyId, KeyId: undefined }),
  ],
  GenerateDataKey: ["symmetric", () => ({ KeySpec: "AES_256" })],
  GenerateDataKeyWithoutPlaintext: ["symmetric", () => ({ KeySpec: "AES_256" })],
  GenerateDataKeyPair: ["symmetric", () => ({ KeyPairSpec: "ECC_NIST_P256" })],
  GenerateDataKeyPairWithoutPlaintext: ["symmetric", () => ({ KeyPairSpec: "ECC_NIST_P256" })],
  Sign: ["signing", () => ({ Message, SigningAlgorithm: "ECDSA_SHA_256" })],
  Verify: ["signing", ({ Signature }) => ({ Message, SigningAlgorithm: "ECDSA_SHA_256", Signature })],
  GetPublicKey: ["signing", () => ({})],
  GenerateMac: ["mac", () => ({ Message, MacAlgorithm: "HMAC_SHA_256" })],
  VerifyMac: ["mac", ({ Mac }) => ({ Message, MacAlgorithm: "HMAC_SHA_256", Mac })],
  DeriveSharedSecret: ["agreement", ({ PublicKey }) => ({ KeyAgreementAlgorithm: "ECDH", PublicKey })],
  Encapsulate: ["encapsulation", () => ({ EncapsulationAlgorithm: "ML_KEM" })],
  Decapsulate: [
    "encapsulation",
    ({ SharedSecretCiphertextBlob }) => ({ EncapsulationAlgorithm: "ML_KEM", SharedSecretCiphertextBlob }),
  ],
  CreateGrant: ["symmetric", () => ({ GranteePrincipal: ROOT, Operations: ["Decrypt"] })],
  ReplicateKey: ["symmetric", () => ({ ReplicaRegion: "eu-west-2" })],
  UpdatePrimaryRegion: ["symmetric", () => ({ PrimaryRegion: "eu-west-2" })],
  CreateAlias: [
    "symmetric",
    ({ KeyId }) => ({ AliasName: `alias/new-${randomBytes(4).toString("hex")}`, TargetKeyId: KeyId, KeyId: undefined }),
  ],
  UpdateAlias: ["symmetric", ({ KeyId, AliasName }) => ({ AliasName, TargetKeyId: KeyId, KeyId: undefined })],
  DeleteAlias: ["symmetric", ({ AliasName }) => ({ AliasName, KeyId: undefined })],
  TagResource: ["symmetric", () => ({ Tags: [{ TagKey: "a", TagValue: "b" }] })],
  UntagResource: ["symmetric", () => ({ TagKeys: ["a"] })],
  UpdateKeyDescription: ["symmetric", () => ({ Description: "other" })],
  GetParametersForImport: [
    "symmetric",
    () => ({ WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" }),
  ],
  ImportKeyMaterial: [
    "symmetric",
    () => ({
      ImportToken: base64(randomBytes(32)),
      EncryptedKeyMaterial: base64(randomBytes(256)),
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }),
  ],
  GetKeyPolicy: ["symmetric", () => ({ PolicyName: "default" })],
  PutKeyPolicy: ["symmetric", ({ Policy }) => ({ PolicyName: "default", Policy })],
  RetireGrant: ["symmetric", ({ GrantId }) => ({ GrantId })],
  RevokeGrant: ["symmetric", ({ GrantId }) => ({ GrantId })],
};

/** Takes a key that works into the state. */
const INTO: Readonly<Record<StateName, (b: Bench, KeyId: string) => Promise<unknown>>> = {
  disabled: (b, KeyId) => b.ok("DisableKey", { KeyId }),
  pendingDeletion: (b, KeyId) => b.ok("ScheduleKeyDeletion", { KeyId }),
  pendingImport: (b, KeyId) => b.ok("DeleteImportedKeyMaterial", { KeyId }),
};

/**
 * A key in the state, with what was made of it before. Null: there is no such key (ML-KEM material is not imported).
 */
async function keyIn(b: Bench, state: StateName, kind: Kind): Promise<Members | null> {
  const external = state === "pendingImport";
  if (external && kind !== "symmetric" && kind !== "mac") return null;
  const { KeyId, Arn } = await b.key({ ...KINDS[kind].spec, ...(external && { Origin: "EXTERNAL" }) });
  if (external) {
    const { PublicKey, ImportToken } = await b.ok("GetParametersForImport", {
      KeyId,
      WrappingAlgorithm: "RSAES_OAEP_SHA_256",
      WrappingKeySpec: "RSA_2048",
    });
    await b.ok("ImportKeyMaterial", {
      KeyId,
      ImportToken,
      EncryptedKeyMaterial: wrapMaterial("RSAES_OAEP_SHA_256", PublicKey, randomBytes(32)),
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    });
  }
  const made = await KINDS[kind].made(b, KeyId);
  const AliasName = `alias/of-${String(KeyId)}`;
  await b.ok("CreateAlias", { AliasName, TargetKeyId: KeyId });
  const { Policy } = await b.ok("GetKeyPolicy", { KeyId, PolicyName: "default" });
  const { GrantId } = await b.ok("CreateGrant", {
    KeyId,
    GranteePrincipal: ROOT,
    RetiringPrincipal: ROOT,
    Operations: ["DescribeKey"],
  });
  await INTO[state](b, KeyId);
  return { ...made, KeyId, Arn, AliasName, Policy, GrantId };
}

/** Operations after which a key has left the state, or lost what the next one needs. */
const SPENDS: ReadonlySet<string> = new Set([
  "EnableKey",
  "ScheduleKeyDeletion",
  "CancelKeyDeletion",
  "DeleteAlias",
  "RetireGrant",
  "RevokeGrant",
]);

/** What refuses a call because of the state, and for no other reason. */
const BECAUSE_OF_THE_STATE = /is disabled\.|is pending deletion\.|is pending import\.|is not pending deletion\./;

for (const { name: state, shownAs } of KEY_STATES) {
  test(`every operation on a key that is ${shownAs}`, async (t) => {
    const b = await bench(t);
    const keys = new Map<Kind, Members | null>();
    const tried: string[] = [];
    for (const operation of Object.keys(STATE_RULES)) {
      const [kind, request] = REQUESTS[operation] ?? ["symmetric", () => ({})];
      const key = keys.has(kind) ? keys.get(kind)! : await keyIn(b, state, kind);
      keys.set(kind, key);
      if (key === null) continue;
      const answer = await b.wire(operation, { KeyId: key["KeyId"], ...request(key) });
      const refused = BECAUSE_OF_THE_STATE.test(answer.text);
      assert.equal(!refused, admits(operation, state), `${operation}: ${answer.status} ${answer.text}`);
      tried.push(operation);
      if (answer.status === 200 && SPENDS.has(operation)) keys.delete(kind);
    }
    assert.ok(tried.length >= 38, `${tried.length}`);
  });
}
