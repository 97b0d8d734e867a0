// A request of every operation that succeeds if it is allowed, with the ARNs of what it needs permissions on.

import { createHash, randomBytes } from "node:crypto";
import { base64 } from "../behaviours/behaviour.ts";
import type { Bench, Members } from "../behaviours/behaviour.ts";
import { wrapMaterial } from "../imported-material.ts";
import { ACCOUNT, REGION } from "../running-kms.ts";
import { TAG, freshKey, newAlias, sharedKey } from "./keys.ts";
import type { Kind } from "./keys.ts";
import type { KeyProperties, Prepared } from "./world.ts";

export const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
const REPLICA_REGION = "eu-west-2";
const Message = base64("m");
const inRegion = (region: string, resource: string): string => `arn:aws:kms:${region}:${ACCOUNT}:${resource}`;
/** What a maker of requests says; the rest is usual. */
type Draft = Partial<Omit<Prepared, "operation">> & { readonly body: Members };
type Maker = (b: Bench) => Promise<Draft>;

const onKey = (key: KeyProperties, members: Members = {}): Draft => ({
  body: { KeyId: key.arn, ...members },
  key,
  resources: { key: key.arn },
});

/** On a key that stays as it is. */
const uses =
  (kind: Kind, members: Members | ((b: Bench, key: KeyProperties) => Promise<Members>) = {}): Maker =>
  async (b) => {
    const key = await sharedKey(b, kind);
    return onKey(key, typeof members === "function" ? await members(b, key) : members);
  };

/** On a key of its own, since it changes it. */
const changes =
  (members: Members, before?: (b: Bench, key: KeyProperties) => Promise<Members>, kind?: Kind): Maker =>
  async (b) => {
    const key = await freshKey(b, kind);
    return onKey(key, { ...members, ...(await before?.(b, key)) });
  };

/** What has to be done with the key before. */
const after =
  (operation: string, members: Members = {}): ((b: Bench, key: KeyProperties) => Promise<Members>) =>
  async (b, { keyId: KeyId }) => {
    await b.ok(operation, { KeyId, ...members });
    return {};
  };

const withoutKey =
  (body: Members, endsWith: string | null = null): Maker =>
  async () => ({ body, endsWith, resources: { everything: "*" } });

const noStore = (body: Members = {}): Maker =>
  withoutKey({ CustomKeyStoreId: "cks-1234567890abcdef0", ...body }, "CustomKeyStoreNotFoundException");

const encrypted = async (b: Bench, key: KeyProperties, more: Members = {}): Promise<Members> => {
  const { CiphertextBlob } = await b.ok("Encrypt", { KeyId: key.keyId, Plaintext: Message, ...more });
  return { CiphertextBlob };
};
const signed = async (b: Bench, { keyId: KeyId }: KeyProperties, more: Members): Promise<Members> => {
  const members = { Message, SigningAlgorithm: "ECDSA_SHA_256", ...more };
  const { Signature } = await b.ok("Sign", { KeyId, ...members });
  return { ...members, Signature };
};
const DIGEST = { Message: base64(createHash("sha256").update("m").digest()), MessageType: "DIGEST" };
const OAEP = { EncryptionAlgorithm: "RSAES_OAEP_SHA_256" };
const CONTEXT = { EncryptionContext: { team: "a" } };

async function wrapped(b: Bench, { keyId: KeyId }: KeyProperties): Promise<Members> {
  const algorithm = "RSAES_OAEP_SHA_256";
  const parameters = { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: "RSA_2048" };
  const { PublicKey, ImportToken } = await b.ok("GetParametersForImport", parameters);
  return { ImportToken, EncryptedKeyMaterial: wrapMaterial(algorithm, PublicKey, randomBytes(32)) };
}
const NEVER = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
/** A date that imported material may last to. */
export const VALID_TO: number = Math.floor(Date.now() / 1000) + 86_400;

const granted =
  (more: Members = {}): ((b: Bench, key: KeyProperties) => Promise<Members>) =>
  async (b, { keyId: KeyId }) => {
    const grant = { KeyId, GranteePrincipal: ROOT, RetiringPrincipal: ROOT, Operations: ["Decrypt"] };
    const { GrantId } = await b.ok("CreateGrant", { ...grant, ...more });
    return { GrantId };
  };

const reEncrypts =
  (from: Kind, to: Kind | "the same", source: Members = {}, destination: Members = {}): Maker =>
  async (b) => {
    const key = await sharedKey(b, from);
    const target = to === "the same" ? key : await sharedKey(b, to, 2);
    const algorithm = from === "rsa" ? { SourceEncryptionAlgorithm: OAEP.EncryptionAlgorithm } : {};
    const { SourceEncryptionContext: context } = source;
    return {
      body: {
        ...(await encrypted(b, key, { ...(from === "rsa" && OAEP), ...(context && { EncryptionContext: context }) })),
        SourceKeyId: key.arn,
        DestinationKeyId: target.arn,
        ...(to === "rsa" && { DestinationEncryptionAlgorithm: OAEP.EncryptionAlgorithm }),
        ...algorithm,
        ...source,
        ...destination,
      },
      key,
      resources: { "source key": key.arn, "destination key": target.arn },
    };
  };

const replicates =
  (members: Members = {}): Maker =>
  async (b) => {
    const key = await freshKey(b);
    const resources = { key: key.arn, everything: "*", "new key": inRegion(REPLICA_REGION, "key/*") };
    return { ...onKey(key, { ReplicaRegion: REPLICA_REGION, ...members }), resources };
  };

const createsKey = (members: Members = {}): Maker => {
  const resources = { everything: "*", "new key": inRegion(REGION, "key/*") };
  return async () => ({ body: members, resources });
};

const MAKERS: Readonly<Record<string, Maker>> = {
  CancelKeyDeletion: changes({}, after("ScheduleKeyDeletion")),
  ConnectCustomKeyStore: noStore(),
  CreateAlias: async (b) => {
    const [key, AliasName] = [await sharedKey(b), newAlias()];
    const resources = { key: key.arn, alias: inRegion(REGION, AliasName) };
    return { body: { AliasName, TargetKeyId: key.arn }, key, resources };
  },
  CreateCustomKeyStore: withoutKey(
    { CustomKeyStoreName: "store", CloudHsmClusterId: "cluster-abcdefghijk" },
    "CloudHsmClusterNotFoundException",
  ),
  CreateGrant: uses("symmetric", { GranteePrincipal: ROOT, Operations: ["Decrypt"] }),
  CreateKey: createsKey(),
  "CreateKey with Tags": createsKey({ Tags: [TAG] }),
  Decapsulate: uses("encapsulation", async (b, { keyId: KeyId }) => {
    const { SharedSecretCiphertextBlob } = await b.ok("Encapsulate", { KeyId, EncapsulationAlgorithm: "ML_KEM" });
    return { SharedSecretCiphertextBlob, EncapsulationAlgorithm: "ML_KEM" };
  }),
  Decrypt: uses("symmetric", encrypted),
  "Decrypt with RSA": uses("rsa", async (b, key) => ({ ...(await encrypted(b, key, OAEP)), ...OAEP })),
  "Decrypt with a context": uses("symmetric", async (b, key) => ({
    ...(await encrypted(b, key, CONTEXT)),
    ...CONTEXT,
  })),
  DeleteAlias: async (b) => {
    const key = await freshKey(b);
    const resources = { key: key.arn, alias: inRegion(REGION, key.alias) };
    return { body: { AliasName: key.alias }, key, resources };
  },
  DeleteCustomKeyStore: noStore(),
  DeleteImportedKeyMaterial: changes(
    {},
    async (b, key) => {
      await b.ok("ImportKeyMaterial", { KeyId: key.keyId, ...(await wrapped(b, key)), ...NEVER });
      return {};
    },
    "external",
  ),
  DeriveSharedSecret: uses("agreement", async (b, { keyId: KeyId }) => {
    const { PublicKey } = await b.ok("GetPublicKey", { KeyId });
    return { KeyAgreementAlgorithm: "ECDH", PublicKey };
  }),
  DescribeCustomKeyStores: withoutKey({}),
  DescribeKey: uses("symmetric"),
  DisableKey: changes({}),
  DisableKeyRotation: changes({}),
  DisconnectCustomKeyStore: noStore(),
  EnableKey: changes({}),
  EnableKeyRotation: changes({}),
  "EnableKeyRotation of a key that rotates already": changes(
    {},
    after("EnableKeyRotation", { RotationPeriodInDays: 100 }),
  ),
  Encapsulate: uses("encapsulation", { EncapsulationAlgorithm: "ML_KEM" }),
  Encrypt: uses("symmetric", { Plaintext: Message }),
  "Encrypt with RSA": uses("rsa", { Plaintext: Message, ...OAEP }),
  GenerateDataKey: uses("symmetric", { KeySpec: "AES_256" }),
  GenerateDataKeyPair: uses("symmetric", { KeyPairSpec: "ECC_NIST_P256" }),
  GenerateDataKeyPairWithoutPlaintext: uses("symmetric", { KeyPairSpec: "ECC_NIST_P256" }),
  GenerateDataKeyWithoutPlaintext: uses("symmetric", { KeySpec: "AES_256" }),
  GenerateMac: uses("mac", { Message, MacAlgorithm: "HMAC_SHA_256" }),
  GenerateRandom: withoutKey({ NumberOfBytes: 8 }),
  GetKeyLastUsage: uses("symmetric"),
  GetKeyPolicy: uses("symmetric", { PolicyName: "default" }),
  GetKeyRotationStatus: uses("symmetric"),
  GetParametersForImport: uses("external", { WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" }),
  GetPublicKey: uses("signing"),
  ImportKeyMaterial: changes({ ValidTo: VALID_TO }, wrapped, "external"),
  "ImportKeyMaterial that never expires": changes(NEVER, wrapped, "external"),
  ListAliases: withoutKey({}),
  ListGrants: uses("symmetric"),
  ListKeyPolicies: uses("symmetric"),
  ListKeyRotations: uses("symmetric"),
  ListKeys: withoutKey({}),
  ListResourceTags: uses("symmetric"),
  ListRetirableGrants: async () => ({ body: { RetiringPrincipal: ROOT }, resources: { "retiring principal": ROOT } }),
  PutKeyPolicy: changes({ PolicyName: "default" }, async (b, { keyId: KeyId }) => {
    const { Policy } = await b.ok("GetKeyPolicy", { KeyId, PolicyName: "default" });
    return { Policy };
  }),
  ReEncrypt: reEncrypts("symmetric", "symmetric"),
  "ReEncrypt with contexts": reEncrypts(
    "symmetric",
    "symmetric",
    { SourceEncryptionContext: { team: "a" } },
    { DestinationEncryptionContext: { team: "a" } },
  ),
  "ReEncrypt from RSA": reEncrypts("rsa", "symmetric"),
  "ReEncrypt to RSA": reEncrypts("symmetric", "rsa"),
  "ReEncrypt to the same key": reEncrypts("symmetric", "the same"),
  ReplicateKey: replicates(),
  "ReplicateKey with Tags": replicates({ Tags: [TAG] }),
  RetireGrant: changes({}, granted()),
  "RetireGrant of a constrained grant": changes(
    {},
    granted({ Constraints: { EncryptionContextEquals: { team: "a" } } }),
  ),
  RevokeGrant: changes({}, granted()),
  RotateKeyOnDemand: changes({}),
  ScheduleKeyDeletion: changes({}),
  Sign: uses("signing", { Message, SigningAlgorithm: "ECDSA_SHA_256" }),
  "Sign a digest": uses("signing", { ...DIGEST, SigningAlgorithm: "ECDSA_SHA_256" }),
  TagResource: changes({ Tags: [TAG] }),
  UntagResource: changes({ TagKeys: ["team"] }),
  UpdateAlias: async (b) => {
    const [current, next] = [await freshKey(b), await sharedKey(b)];
    const resources = { "current key": current.arn, "new key": next.arn, alias: inRegion(REGION, current.alias) };
    return { body: { AliasName: current.alias, TargetKeyId: next.arn }, key: next, resources };
  },
  UpdateCustomKeyStore: noStore({ NewCustomKeyStoreName: "other" }),
  UpdateKeyDescription: changes({ Description: "other" }),
  UpdatePrimaryRegion: async (b) => {
    const key = await freshKey(b);
    await b.ok("ReplicateKey", { KeyId: key.keyId, ReplicaRegion: REPLICA_REGION });
    const resources = { "primary key": key.arn, "replica key": inRegion(REPLICA_REGION, `key/${key.keyId}`) };
    return { body: { KeyId: key.arn, PrimaryRegion: REPLICA_REGION }, key, resources };
  },
  Verify: uses("signing", async (b, key) => signed(b, key, {})),
  "Verify a digest": uses("signing", async (b, key) => signed(b, key, DIGEST)),
  VerifyMac: uses("mac", async (b, { keyId: KeyId }) => {
    const { Mac } = await b.ok("GenerateMac", { KeyId, Message, MacAlgorithm: "HMAC_SHA_256" });
    return { Message, MacAlgorithm: "HMAC_SHA_256", Mac };
  }),
};

/** The names of all requests: an operation, and often what is particular about the request. */
export const REQUEST_NAMES: readonly string[] = Object.keys(MAKERS);

/** Prepares a request, with `members` over its own; `byAlias`: a member that is to name its key by its alias. */
export async function prepare(b: Bench, name: string, members: Members = {}, byAlias?: string): Promise<Prepared> {
  const { body, ...draft } = await MAKERS[name]!(b);
  const alias = byAlias === undefined ? {} : { [byAlias]: await aliasOf(b, String(body[byAlias])) };
  return {
    operation: name.split(" ")[0]!,
    region: REGION,
    endsWith: null,
    key: null,
    resources: {},
    ...draft,
    body: { ...body, ...members, ...alias },
  };
}

async function aliasOf(b: Bench, arn: string): Promise<string> {
  const { Aliases } = await b.ok("ListAliases", { KeyId: arn });
  return String((Aliases as Members[])[0]?.["AliasName"]);
}
