/** Text that comes from a message, a KMS, a key store or a caller: cut and escaped wherever an error shows it. */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { inspect as show } from "node:util";
import { decrypt, encrypt, EnvelopeError, inspect, rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { kmsDiscoveryKeyring } from "@strongroom/envelope/aws-kms-discovery";
import { kmsEcdhKeyring } from "@strongroom/envelope/aws-kms-ecdh";
import { hierarchicalKeyring } from "@strongroom/envelope/hierarchical";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { ALGORITHM_SUITES } from "../src/format/suites.ts";
import { shown } from "../src/errors.ts";
import { InMemoryBranchKeys } from "./support/branch-key-store.ts";
import { InMemoryKms } from "./support/in-memory-kms.ts";
import { writeMessage } from "./support/message-writer.ts";

/** A new line, a terminal's colours and title, text from right to left, a C1 control, a line separator, a BOM. */
const EVIL = "key\n\u001b[31mred\u001b]0;title\u0007\u202egpj\u0085\u2028\ufeff\u007f";
const LONG = `${EVIL}${"A".repeat(60_000)}`;
const STEERING = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const limits = { encryptedDataKeys: 100, contextBytes: 65_535 };

const ours = rawAesKeyring({ keyNamespace: "test", keyName: "key-1", wrappingKey: randomBytes(32) });
const other = rawAesKeyring({ keyNamespace: "test", keyName: "key-2", wrappingKey: randomBytes(32) });
const suite = ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY;

/** A message with these encrypted data keys, whoever may open them. */
function messageWith(keys: readonly { readonly providerId: string; readonly info: string }[]): Buffer {
  return writeMessage({
    suite,
    frameLength: 16,
    context: [],
    plaintext: Buffer.from("x"),
    wrap: () =>
      keys.map(({ providerId, info }) => ({
        providerId,
        providerInfo: Buffer.from(info),
        ciphertext: randomBytes(48),
      })),
  });
}

const read =
  (message: Uint8Array, keyring: Keyring, encryptionContext: Record<string, string> = {}) =>
  () =>
    decrypt(message, { keyring, encryptionContext, limits });
const discovery = kmsDiscoveryKeyring({
  clients: { "eu-west-1": new InMemoryKms("eu-west-1") },
  filter: { partition: "aws", accounts: ["000000000000"] },
});
const branchKeys = new InMemoryBranchKeys();
const hierarchical = hierarchicalKeyring({ keyStore: branchKeys, branchKeyId: LONG, maxAgeMs: 1000 });
const failing = new InMemoryBranchKeys();
failing.error = new Error(LONG);
const inOtherContext = await encrypt(Buffer.from("x"), { keyring: ours, encryptionContext: { [LONG]: "1" }, limits });
const ecdhKey = new InMemoryKms("eu-west-1").keyArn;
const recipient = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A keyring whose KMS answers so when it is asked for the sender's public key. */
const ecdhWith = (getPublicKey: () => Promise<object>): Promise<unknown> =>
  kmsEcdhKeyring({
    curve: "ECC_NIST_P256",
    schema: {
      kind: "KmsPrivateKeyToStaticPublicKey",
      senderKeyArn: ecdhKey,
      recipientPublicKey: recipient.publicKey,
    },
    client: { deriveSharedSecret: async () => ({}), getPublicKey },
  });

/** Place -> what makes an error there. */
const PLACES: Readonly<Record<string, () => unknown>> = {
  "provider id of no configured key": read(messageWith([{ providerId: LONG, info: "k" }]), ours),
  "key id of no configured key": read(messageWith([{ providerId: "test", info: `a${LONG}` }]), ours),
  "a hundred of both": read(
    messageWith(Array.from({ length: 100 }, () => ({ providerId: LONG, info: `a${LONG}` }))),
    ours,
  ),
  "both, through several keyrings": read(
    messageWith([{ providerId: LONG, info: `a${LONG}` }]),
    multiKeyring({ children: [ours, other] }),
  ),
  "both, through regions": read(
    messageWith([{ providerId: LONG, info: `a${LONG}` }]),
    multiRegionKeyring({ regions: [new InMemoryKms("eu-west-1").asRegion], minimum: 1 }),
  ),
  "key id that is no ARN": read(messageWith([{ providerId: "aws-kms", info: LONG }]), discovery),
  "an ARN without end": read(
    messageWith([{ providerId: "aws-kms", info: `arn:aws:kms:eu-west-1:000000000000:key/${"a".repeat(60_000)}` }]),
    discovery,
  ),
  "an ARN of a region without end": read(
    messageWith([{ providerId: "aws-kms", info: `arn:aws:kms:${"a".repeat(60_000)}:000000000000:key/a` }]),
    ours,
  ),
  "key of a stored context": read(inOtherContext.message, ours),
  "key of the caller's context": () =>
    encrypt(Buffer.from("x"), { keyring: ours, encryptionContext: { [LONG]: 1 as never } }),
  "required key": () =>
    encrypt(Buffer.from("x"), { keyring: ours, encryptionContext: {}, requiredContextKeys: [LONG] }),
  "name of an option": () => encrypt(Buffer.from("x"), { keyring: ours, encryptionContext: {}, ...{ [LONG]: 1 } }),
  "name of a limit": () => inspect(inOtherContext.message, { limits: { [LONG]: 1 } }),
  "region of a client": () =>
    kmsDiscoveryKeyring({ clients: { [LONG]: {} as never }, filter: { partition: "aws", accounts: ["000000000000"] } }),
  "region of a key": () =>
    multiRegionKeyring({ regions: [{ ...new InMemoryKms("eu-west-1").asRegion, region: LONG }], minimum: 1 }),
  "branch key that is not there": () => encrypt(Buffer.from("x"), { keyring: hierarchical, encryptionContext: {} }),
  "branch key whose store fails": () =>
    encrypt(Buffer.from("x"), {
      keyring: hierarchicalKeyring({ keyStore: failing, branchKeyId: LONG, maxAgeMs: 1000 }),
      encryptionContext: {},
    }),
  "what a KMS says of a key": () => ecdhWith(async () => ({ KeyId: ecdhKey, KeySpec: LONG, KeyUsage: LONG })),
  "name of a KMS's error": () => ecdhWith(() => Promise.reject(Object.assign(new Error(LONG), { name: LONG }))),
  "an error of someone else's keyring": read(
    inOtherContext.message,
    {
      ...ours,
      onDecrypt: async () => {
        const attempt = {
          region: LONG,
          keyArn: LONG,
          operation: "Decrypt",
          reason: "unknown",
          errorName: null,
          elapsedMs: 1,
        } as const;
        throw new EnvelopeError("regions-unavailable", LONG, { attempts: [attempt] });
      },
    },
    { [LONG]: "1" },
  ),
};

describe("an error shows text from outside cut and escaped", () => {
  for (const [place, fail] of Object.entries(PLACES)) {
    test(place, async () => {
      const error = await Promise.resolve()
        .then(fail)
        .then(
          () => null,
          (thrown: unknown) => thrown,
        );
      assert.ok(error instanceof EnvelopeError, show(error));
      const told = Object.fromEntries(Object.entries(error).filter(([name]) => name !== "cause"));
      const texts = [error.message, ...stringsOf(told)];
      for (const text of texts) assert.doesNotMatch(text, STEERING, place);
      assert.ok(error.message.length <= 65_536 && error.message.split("A").length < 20_000, `${error.message.length}`);
      for (const text of stringsOf(told)) assert.ok(text.length <= 4_096, place);
    });
  }
});

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

describe("shown", () => {
  test("leaves text alone that shows as it is", () => {
    for (const text of ["", "arn:aws:kms:eu-west-1:000000000000:key/a", "Größe 長さ", "👩‍💻", "a\\n"])
      assert.equal(shown(text), text);
  });

  test("escapes what does not, and says how long it was", () => {
    assert.equal(shown("a\n\u001b\u202eb\ud800"), "a\\u{a}\\u{1b}\\u{202e}b\\u{d800}");
    assert.equal(shown("abcdef", 3), "abc… (6 characters)");
    assert.equal(shown("ab👩", 3), "ab… (4 characters)");
  });
});

test("inspect is data: exact to the character", () => {
  const [key] = inspect(messageWith([{ providerId: LONG, info: "k" }]), { limits }).encryptedDataKeys;
  assert.equal(key?.providerId, LONG);
});
