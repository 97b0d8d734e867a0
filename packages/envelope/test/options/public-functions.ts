/**
 * Every public function that takes options: how it is called rightly, and which values each of its options refuses. The
 * tests of options run through it, and hold it to what the functions themselves say and to what the package exports.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  cachingMaterials,
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptStream,
  encrypt,
  encryptStream,
  inspect,
  rawAesKeyring,
} from "@strongroom/envelope";
import { multiRegionKeyring, MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { decryptDirect, encryptDirect } from "@strongroom/envelope/aws-kms-direct";
import { kmsDiscoveryKeyring } from "@strongroom/envelope/aws-kms-discovery";
import { kmsEcdhKeyring } from "@strongroom/envelope/aws-kms-ecdh";
import { kmsRsaKeyring } from "@strongroom/envelope/aws-kms-rsa";
import { wipingAgents } from "@strongroom/envelope/aws-sdk";
import { DEFAULT_LIMITS } from "@strongroom/envelope/format";
import { hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
import { makeKey, randomSecret, rewrapKey, unwrapKey, wrapKey } from "@strongroom/envelope/keyrings";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import { framingWorkers } from "@strongroom/envelope/workers";
import { InMemoryBranchKeys } from "../support/branch-key-store.ts";
import { InMemoryKms } from "../support/in-memory-kms.ts";

/** Options as JavaScript hands them in. */
export type Given = Record<string, unknown>;

export interface PublicFunction {
  /** With good options it must succeed. */
  readonly call: (options: unknown) => unknown;
  readonly good: Given;
  /** Option -> values that it refuses. */
  readonly wrong: Readonly<Record<string, readonly unknown[]>>;
  /** Options with options of their own: path -> names. */
  readonly nested?: Readonly<Record<string, readonly string[]>>;
}

/** Refused wherever anything but an object of the right kind is. */
const NO_OBJECT = [
  null,
  0,
  1,
  NaN,
  true,
  "x",
  "",
  [],
  [1],
  Symbol("s"),
  () => 1,
  Promise.resolve({}),
  new Map(),
] as const;
const NO_PLAIN_OBJECT = [...NO_OBJECT, new Date(0), new URL("http://x"), new Proxy({}, {})] as const;
const NO_NUMBER = [null, "4096", "", {}, [], true, NaN, Infinity, -Infinity, -1, 2n] as const;
const NO_WHOLE = [...NO_NUMBER, 0.5] as const;
const NO_COUNT = [...NO_WHOLE, 0] as const;
const NO_TEXT = [null, 0, "", {}, [], true, "\ud800", Buffer.from("x"), new String("x")] as const;
const NO_TIME = [...NO_OBJECT, {}, { now: 1, after: 2 }] as const;
const NO_SIGNAL = [...NO_OBJECT, {}, { aborted: false }, new AbortController()] as const;
const NO_FUNCTION = [null, 0, "x", {}, [], true] as const;
const NO_KEYRING = [...NO_OBJECT, {}, { onEncrypt: 1, onDecrypt: 2 }] as const;
const NO_CONTEXT = [...NO_PLAIN_OBJECT, { id: 1 }, { id: undefined }, { [Symbol("id")]: "1" }] as const;
const NO_TOKENS = [null, "token", {}, new Set(["t"]), [""], [1], [null], Array<string>(11).fill("t")] as const;
const NO_KEY = [null, 0, {}, [], "", "PEM", new Uint8Array(0), Buffer.from("key"), new ArrayBuffer(8)] as const;

const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const encryptionContext = { id: "42" };
const { message } = await encrypt(Buffer.from("hello"), { keyring, encryptionContext });
const regions = ["eu-west-1", "eu-west-2", "eu-central-1"].map((region) => new InMemoryKms(region));
const multiRegion = multiRegionKeyring({ regions: regions.map((kms) => kms.asRegion), minimum: 2 });
const { sealed } = await encryptDirect(Buffer.from("hello"), { keyring: multiRegion, encryptionContext });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const ecdhClient = { deriveSharedSecret: async () => ({}), getPublicKey: async () => ({}) };
const keyArn = regions[0]!.keyArn;

const LIMITS = { limits: Object.keys(DEFAULT_LIMITS) };
const COMMON = {
  keyring: NO_KEYRING,
  materials: [...NO_OBJECT, {}, keyring],
  encryptionContext: NO_CONTEXT,
  requiredContextKeys: [null, "id", {}, new Set(["id"]), [1], [null], ["absent"], ["toString"]],
  commitmentPolicy: [null, "", "FORBID_ENCRYPT_ALLOW_DECRYPT", "toString", "__proto__", 1, {}, ["x"]],
  limits: [
    ...NO_PLAIN_OBJECT,
    { frameBytes: 0 },
    { frameBytes: "1" },
    { frameBytes: 2 ** 32 },
    { encryptedDataKeys: 65_536 },
    { contextBytes: NaN },
    { plaintextBytes: 0.5 },
    { heldBackBytes: null },
    { frameByte: 1 },
  ],
  signal: NO_SIGNAL,
  onCall: NO_FUNCTION,
  workers: [...NO_OBJECT, {}, { takes: 1, run: 1 }],
} as const;
const WRITE = {
  ...COMMON,
  suite: [null, "", "ALG_ROT13", "toString", "__proto__", 0x0478, {}],
  frameLength: [...NO_COUNT, 2 ** 32],
} as const;

const SINGLE_CALL = {
  attemptTimeoutMs: [...NO_NUMBER, 0, 2 ** 31],
  deadlineMs: [...NO_NUMBER, 0, 2 ** 31],
  grantTokens: NO_TOKENS,
} as const;

const NAMES = { keyNamespace: [...NO_TEXT, "aws-kms", "aws-kms-x"], keyName: NO_TEXT } as const;
const good = { keyring, encryptionContext };
const WRAPPING = {
  keyring: NO_KEYRING,
  encryptionContext: NO_CONTEXT,
  keyArnEntry: [...NO_TEXT, "id"],
  signal: NO_SIGNAL,
  onCall: NO_FUNCTION,
} as const;
const kept = await makeKey(good);

/** Entry point and name -> the function. */
export const PUBLIC_FUNCTIONS: Readonly<Record<string, PublicFunction>> = {
  encrypt: { call: (options) => encrypt(Buffer.from("x"), options as never), good, wrong: WRITE, nested: LIMITS },
  decrypt: {
    call: (options) => decrypt(message, options as never),
    good,
    wrong: { ...COMMON, signedMessages: [null, "", "yes", "hold-back", true, {}] },
    nested: LIMITS,
  },
  inspect: {
    call: (options) => inspect(message, options as never),
    good: {},
    wrong: { limits: COMMON.limits },
    nested: LIMITS,
  },
  ...Object.fromEntries(
    Object.entries({ createEncryptStream, encryptStream }).map(([name, call]) => [
      name,
      { call, good, wrong: { ...WRITE, plaintextLengthBound: NO_WHOLE }, nested: LIMITS },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({ createDecryptStream, decryptStream }).map(([name, call]) => [
      name,
      {
        call,
        good,
        wrong: {
          ...COMMON,
          encryptionContext: [...NO_CONTEXT, "as-stored"],
          signedMessages: [null, "", "yes", true, {}, "toString"],
        },
        nested: LIMITS,
      },
    ]),
  ),
  rawAesKeyring: {
    call: (options) => rawAesKeyring(options as never),
    good: { keyNamespace: "n", keyName: "k", wrappingKey: randomBytes(32) },
    wrong: {
      ...NAMES,
      wrappingKey: [
        null,
        "0".repeat(32),
        [1],
        {},
        randomBytes(31),
        new ArrayBuffer(32),
        new DataView(new ArrayBuffer(32)),
        new Uint16Array(16),
      ],
    },
  },
  cachingMaterials: {
    call: (options) => cachingMaterials(options as never),
    good: { keyring, maxAgeMs: 1000 },
    wrong: {
      keyring: COMMON.keyring,
      materials: COMMON.materials,
      maxAgeMs: [...NO_NUMBER, 0],
      maxMessages: [...NO_COUNT, 2 ** 32 + 1],
      maxBytes: NO_WHOLE,
      capacity: NO_COUNT,
      hotMessages: NO_WHOLE,
      partition: [null, 1, {}, []],
      time: NO_TIME,
    },
  },
  "workers framingWorkers": {
    call: (options) => framingWorkers(options as never),
    good: { threads: 1 },
    wrong: { threads: [...NO_COUNT, 1_000_000] },
  },
  "aws-kms multiRegionKeyring": {
    call: (options) => multiRegionKeyring(options as never),
    good: { regions: regions.map((kms) => kms.asRegion), minimum: 2 },
    wrong: {
      regions: [
        null,
        "x",
        {},
        [],
        [null],
        ...[
          { region: 1 },
          { region: "us-east-1" },
          { keyArn: "alias/x" },
          { keyArn: null },
          { client: null },
          { client: {} },
          { role: "spare" },
          { role: null },
          { group: "" },
          { group: 7 },
          { keyarn: keyArn },
        ].map((change) => [{ ...regions[0]!.asRegion, ...change }]),
      ],
      minimum: [...NO_COUNT, 4],
      target: [...NO_COUNT, 1, 4],
      proveWraps: [null, "", "ALL", "some", true, 1, {}],
      grantTokens: NO_TOKENS,
      time: NO_TIME,
      ...Object.fromEntries(Object.keys(MULTI_REGION_DEFAULTS).map((name) => [name, [...NO_NUMBER, 1e9]])),
    },
    nested: { "regions.0": ["group", "role", "region", "keyArn", "client"] },
  },
  "aws-kms MultiRegionKeyring.probe": {
    call: (options) => multiRegion.probe(options as never),
    good: {},
    wrong: { signal: NO_SIGNAL },
  },
  ...Object.fromEntries(
    [
      { name: "encryptDirect", call: (options: unknown) => encryptDirect(Buffer.from("x"), options as never) },
      { name: "decryptDirect", call: (options: unknown) => decryptDirect(sealed, options as never) },
    ].map(({ name, call }) => [
      `aws-kms-direct ${name}`,
      {
        call,
        good: { keyring: multiRegion, encryptionContext },
        wrong: { keyring: [...NO_KEYRING, keyring], encryptionContext: NO_CONTEXT, signal: NO_SIGNAL },
      },
    ]),
  ),
  "aws-kms-discovery kmsDiscoveryKeyring": {
    call: (options) => kmsDiscoveryKeyring(options as never),
    good: { clients: { "eu-west-1": regions[0] }, filter: { partition: "aws", accounts: ["000000000000"] } },
    wrong: {
      ...SINGLE_CALL,
      clients: [...NO_OBJECT, {}, { "eu-west-1": null }, { "eu-west-1": {} }, { "EU WEST": regions[0] }],
      filter: [
        ...NO_PLAIN_OBJECT,
        {},
        { partition: "aws" },
        { partition: "", accounts: ["000000000000"] },
        { partition: "aws", accounts: [] },
        { partition: "aws", accounts: "000000000000" },
        { partition: "aws", accounts: ["1"] },
        { partition: "aws", accounts: [111122223333] },
        { partition: "aws", accounts: ["000000000000"], account: 1 },
      ],
      multiRegionKeys: [null, "", "any", true, {}],
    },
    nested: { filter: ["partition", "accounts"] },
  },
  "aws-kms-rsa kmsRsaKeyring": {
    call: (options) => kmsRsaKeyring(options as never),
    good: { keyArn, publicKey: rsa.publicKey, client: regions[0] },
    wrong: {
      ...SINGLE_CALL,
      keyArn: [...NO_TEXT, "alias/x", `${keyArn}\n`, `${keyArn}${"0".repeat(2_048)}`],
      encryptionAlgorithm: [null, "", "SYMMETRIC_DEFAULT", "toString", 1],
      publicKey: [...NO_KEY, rsa.privateKey, ec.publicKey],
      client: [...NO_OBJECT, {}, { decrypt: 1 }],
    },
  },
  "aws-kms-ecdh kmsEcdhKeyring": {
    call: (options) => kmsEcdhKeyring(options as never),
    good: {
      curve: "ECC_NIST_P256",
      schema: { kind: "KmsPublicKeyDiscovery", recipientKeyArn: keyArn, recipientPublicKey: ec.publicKey },
      client: ecdhClient,
    },
    wrong: {
      ...SINGLE_CALL,
      curve: [null, "", "P-256", "SM2", "toString", 1],
      schema: [
        ...NO_PLAIN_OBJECT,
        {},
        { kind: "toString" },
        { kind: "KmsPublicKeyDiscovery" },
        { kind: "KmsPublicKeyDiscovery", recipientKeyArn: "alias/x" },
        { kind: "KmsPublicKeyDiscovery", recipientKeyArn: keyArn, recipientPublicKey: ec.privateKey },
        { kind: "KmsPublicKeyDiscovery", recipientKeyArn: keyArn, senderKeyArn: keyArn },
        { kind: "KmsPrivateKeyToStaticPublicKey", senderKeyArn: keyArn },
      ],
      client: [...NO_OBJECT, {}],
      signal: NO_SIGNAL,
    },
    nested: { schema: ["kind", "recipientKeyArn", "recipientPublicKey"] },
  },
  "hierarchical hierarchicalKeyring": {
    call: (options) => hierarchicalKeyring(options as never),
    good: { keyStore: new InMemoryBranchKeys(), branchKeyId: "tenant", maxAgeMs: 1000 },
    wrong: {
      keyStore: [...NO_OBJECT, {}],
      branchKeyId: NO_TEXT,
      maxAgeMs: [...NO_NUMBER, 0],
      maxUses: NO_COUNT,
      capacity: NO_COUNT,
      time: NO_TIME,
    },
  },
  "keyrings makeKey": { call: (options) => makeKey(options as never), good, wrong: WRAPPING },
  "keyrings wrapKey": { call: (options) => wrapKey(randomSecret(32), options as never), good, wrong: WRAPPING },
  "keyrings unwrapKey": {
    call: (options) => unwrapKey(kept.wraps, options as never),
    good: { ...good, accepts: () => true },
    wrong: {
      ...WRAPPING,
      accepts: NO_FUNCTION,
      secretKeysOnly: [null, 0, 1, "", "true", "yes", {}, []],
    },
  },
  "keyrings rewrapKey": {
    call: (options) => rewrapKey(kept.wraps, options as never),
    good: { ...good, sources: [good.keyring], accepts: () => true },
    wrong: {
      ...WRAPPING,
      sources: [...NO_OBJECT, {}, [], [null], [{}]],
      have: [null, 1, "x", {}, [1], [""]],
      proof: [null, 0, "", "all", "toString", {}],
      accepts: NO_FUNCTION,
    },
  },
  "raw-rsa rawRsaKeyring": {
    call: (options) => rawRsaKeyring(options as never),
    good: { keyNamespace: "n", keyName: "k", ...rsa },
    wrong: {
      ...NAMES,
      padding: [null, "", "PKCS1", "OAEP_MD5", "toString", 1],
      publicKey: [...NO_KEY, rsa.privateKey, ec.publicKey],
      privateKey: [...NO_KEY, rsa.publicKey, ec.privateKey],
    },
  },
  "raw-ecdh rawEcdhKeyring": {
    call: (options) => rawEcdhKeyring(options as never),
    good: { curve: "ECC_NIST_P256", schema: { kind: "PublicKeyDiscovery", recipientPrivateKey: ec.privateKey } },
    wrong: {
      curve: [null, "", "P-256", "SM2", "toString", 1],
      schema: [
        ...NO_PLAIN_OBJECT,
        {},
        { kind: "Static" },
        { kind: "PublicKeyDiscovery" },
        { kind: "PublicKeyDiscovery", recipientPrivateKey: ec.publicKey },
        { kind: "PublicKeyDiscovery", recipientPrivateKey: ec.privateKey, curve: 1 },
        { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: ec.privateKey },
        { kind: "RawPrivateKeyToStaticPublicKey", senderPrivateKey: ec.privateKey },
      ],
    },
    nested: { schema: ["kind", "recipientPrivateKey"] },
  },
  "multi-keyring multiKeyring": {
    call: (options) => multiKeyring(options as never),
    good: { generator: keyring },
    wrong: { generator: NO_KEYRING, children: [null, "x", {}, keyring, [null], [{}]] },
  },
};

/** Exported functions without a table of options, and why. */
export const WITHOUT_OPTIONS: Readonly<Record<string, string>> = {
  EnvelopeError: "a class that the package itself makes",
  isEnvelopeError: "takes anything",
  "keyrings SecretBytes": "a class, of bytes",
  "keyrings namedKey": "takes an encrypted data key alone",
  "keyrings keyedHash": "takes a key and bytes",
  "keyrings randomSecret": "takes a length alone",
  "keyrings sealUnder": "inside what others make of it: takes what its types say",
  "keyrings openUnder": "as sealUnder",
  "keyrings wrapUnder": "as sealUnder",
  "keyrings unwrapUnder": "as sealUnder",
  "keyrings wrapVersionOf": "takes a wrap and a length",
  "hierarchical BranchKeyCache": "a class, whose options are checked by the keyrings that make one",
  "hierarchical branchKeySealing": "takes an id and a key",
  "hierarchical cachedBranchKeyring": "takes a cache and an id",
  "aws-sdk keysAsBytes": "takes a client alone",
  "aws-sdk wipingAgents": "the options are those of node's agents",
};

export { wipingAgents };
