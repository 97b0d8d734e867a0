/**
 * What every keyring must do, whatever its keys are: each keyring's test calls `keyringContract` and adds only what is
 * its own.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { decrypt, encrypt, EnvelopeError } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { Keyring } from "@strongroom/envelope";
import type { AlgorithmSuiteName, EncryptedDataKey } from "@strongroom/envelope/format";
import type { DecryptionMaterials, EncryptionMaterials } from "@strongroom/envelope/keyrings";
import { canonicalContext } from "../src/format/encryption-context.ts";
import { DEFAULT_LIMITS } from "../src/format/suites.ts";
import { rejectsWith } from "./support/errors.ts";

export interface KeyringUnderTest {
  readonly writer: Keyring;
  /** Opens what `writer` wrote; may be the same object. */
  readonly reader: Keyring;
  /** Of the same kind and, where that is possible, of the same names, but with another key. */
  readonly stranger: Keyring;
  /**
   * Another keyring whose encrypted data keys `reader` finds to be its own, for a list with several; `writer` itself by
   * default.
   */
  readonly secondWriter?: Keyring;
}

export interface ContractOptions {
  readonly name: string;
  readonly setup: () => KeyringUnderTest | Promise<KeyringUnderTest>;
  /** `unsigned` for keyrings that refuse signed suites. */
  readonly suites?: "all" | "unsigned";
  /** `none` for a writer that must make the data key itself. */
  readonly existingDataKeys?: "wraps" | "none";
  /** Every how many bits of an encrypted data key one is flipped: 1 flips them all. */
  readonly flipEvery?: number;
  /**
   * Whether a changed provider info is one more name of the very same key; the message's header still tells them apart.
   */
  readonly namesSameKey?: (providerInfo: Buffer) => boolean;
}

const encryptionContext = { collection: "customers", id: "42", "\u00e9": "\u{1F600}" };
const plaintext = Buffer.from("a name and an address");
const SUITES: readonly AlgorithmSuiteName[] = [
  "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  "ALG_AES_128_GCM_IV12_TAG16_NO_KDF",
  "ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA256",
  "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
  "ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256",
];
const REFUSALS: readonly string[] = [
  "decryption-failed",
  "no-matching-key",
  "regions-unavailable",
  "branch-key-unavailable",
];
const FOREIGN: readonly EncryptedDataKey[] = [
  { providerId: "someone-else", providerInfo: randomBytes(40), ciphertext: randomBytes(80) },
  { providerId: "", providerInfo: new Uint8Array(0), ciphertext: new Uint8Array(0) },
];

export function encryptionMaterials(overrides: Partial<EncryptionMaterials> = {}): EncryptionMaterials {
  return {
    suite: ALGORITHM_SUITES.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    encryptionContext: canonicalContext(encryptionContext, DEFAULT_LIMITS),
    requiredContextKeys: [],
    dataKey: null,
    encryptedDataKeys: [],
    signingKey: null,
    ...overrides,
  };
}

export interface ObservedMaterials extends DecryptionMaterials {
  /** Every candidate that the keyring showed: the very memory, so that its wiping can be seen. */
  readonly candidates: Uint8Array[];
}

/** Accepts this data key and no other. */
export function decryptionMaterials(
  dataKey: Uint8Array,
  overrides: Partial<DecryptionMaterials> = {},
): ObservedMaterials {
  const candidates: Uint8Array[] = [];
  const { suite, encryptionContext: context } = encryptionMaterials();
  return {
    suite,
    encryptionContext: context,
    requiredContextKeys: [],
    dataKey: null,
    candidates,
    accepts(candidate) {
      candidates.push(candidate);
      return Buffer.from(dataKey).equals(candidate);
    },
    ...overrides,
  };
}

/** A data key and its wraps, as plain bytes that stay when the keyring's are wiped. */
export async function wrapped(
  keyring: Keyring,
  overrides: Partial<EncryptionMaterials> = {},
): Promise<{ dataKey: Buffer; keys: readonly EncryptedDataKey[] }> {
  const { dataKey, encryptedDataKeys } = await keyring.onEncrypt(encryptionMaterials(overrides), { signal: undefined });
  assert.ok(dataKey !== null);
  return { dataKey: Buffer.from(dataKey.bytes), keys: encryptedDataKeys };
}

/** Every order of a short list. */
function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

const CALL = { signal: undefined };

export function keyringContract({
  name,
  setup,
  suites = "all",
  existingDataKeys = "wraps",
  flipEvery = 1,
  namesSameKey = () => false,
}: ContractOptions): void {
  describe(`${name}: what every keyring must do`, () => {
    for (const suite of SUITES) {
      const { committing, signature } = ALGORITHM_SUITES[suite];
      if (signature !== null && suites === "unsigned") continue;
      const policy = {
        commitmentPolicy: committing ? "require-encrypt-require-decrypt" : "forbid-encrypt-allow-decrypt",
      } as const;

      test(`round trip, ${suite}`, async () => {
        const { writer, reader } = await setup();
        for (const context of [encryptionContext, {}]) {
          const { message } = await encrypt(plaintext, {
            keyring: writer,
            encryptionContext: context,
            suite,
            ...policy,
          });
          const opened = await decrypt(message, { keyring: reader, encryptionContext: context, ...policy });
          assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
        }
      });
    }

    test("a message opens by a required context entry only with its value", async () => {
      const { writer, reader } = await setup();
      const requiredContextKeys = ["id"];
      const { message } = await encrypt(plaintext, { keyring: writer, encryptionContext, requiredContextKeys });
      const opened = await decrypt(message, { keyring: reader, encryptionContext, requiredContextKeys });
      assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
      const wrong = decrypt(message, {
        keyring: reader,
        encryptionContext: { ...encryptionContext, id: "43" },
        requiredContextKeys,
      });
      await rejectsWith(wrong, "decryption-failed");
    });

    test("another key does not open it, and the error lists every encrypted data key", async () => {
      const { writer, stranger } = await setup();
      const { message, encryptedDataKeys } = await encrypt(plaintext, { keyring: writer, encryptionContext });
      const error = await rejectedWithOneOf(decrypt(message, { keyring: stranger, encryptionContext }), REFUSALS);
      assert.deepEqual(
        error.encryptedDataKeys?.map(({ providerId }) => providerId),
        encryptedDataKeys.map(({ providerId }) => providerId),
      );
      for (const value of ["customers", "42", "\u{1F600}"])
        assert.ok(!error.message.includes(`"${value}"`), "a context value is in the message");
    });

    const existing = { skip: existingDataKeys === "none" && "the writer makes its data keys itself" };
    test("a data key that exists already is wrapped, and not replaced", existing, async () => {
      const { writer, reader } = await setup();
      const given = randomBytes(32);
      const before = FOREIGN.slice(0, 1);
      const materials = encryptionMaterials({ dataKey: SecretBytes.copyOf(given), encryptedDataKeys: before });
      const { dataKey, encryptedDataKeys } = await writer.onEncrypt(materials, CALL);
      assert.equal(dataKey, materials.dataKey);
      assert.deepEqual(encryptedDataKeys.slice(0, 1), before);
      assert.equal(encryptedDataKeys.length, 2);
      const opened = await reader.onDecrypt(decryptionMaterials(given), encryptedDataKeys, CALL);
      assert.deepEqual(opened.dataKey?.bytes, given);
    });

    test("every wrap is different, even of the same data key", existing, async () => {
      const { writer } = await setup();
      const dataKey = SecretBytes.copyOf(randomBytes(32));
      const wraps = await Promise.all(
        [1, 2, 3].map(async () => writer.onEncrypt(encryptionMaterials({ dataKey }), CALL)),
      );
      const ciphertexts = wraps.map(({ encryptedDataKeys }) =>
        Buffer.from(encryptedDataKeys[0]!.ciphertext).toString("hex"),
      );
      assert.equal(new Set(ciphertexts).size, 3);
    });

    test("no changed bit of an encrypted data key is accepted", async (t) => {
      const { writer, reader } = await setup();
      const { keys } = await wrapped(writer);
      const [key] = keys;
      assert.ok(key !== undefined);
      let flips = 0;
      for (const field of ["providerInfo", "ciphertext"] as const) {
        for (let bit = 0; bit < key[field].length * 8; bit += flipEvery) {
          const changed = Buffer.from(key[field]);
          changed[bit >> 3]! ^= 1 << (bit & 7);
          if (field === "providerInfo" && namesSameKey(changed)) continue;
          // Accepts anything: the keyring itself must refuse.
          const materials = decryptionMaterials(Buffer.alloc(0), { accepts: () => true });
          await rejectedWithOneOf(reader.onDecrypt(materials, [{ ...key, [field]: changed }], CALL), [
            ...REFUSALS,
            "message-malformed",
          ]);
          flips++;
        }
      }
      for (const changed of [
        key.ciphertext.subarray(1),
        key.ciphertext.subarray(0, -1),
        Buffer.concat([key.ciphertext, Buffer.of(0)]),
        Buffer.alloc(0),
      ]) {
        await rejectedWithOneOf(
          reader.onDecrypt(
            decryptionMaterials(Buffer.alloc(0), { accepts: () => true }),
            [{ ...key, ciphertext: changed }],
            CALL,
          ),
          REFUSALS,
        );
      }
      t.diagnostic(`${flips} bits flipped, 0 accepted`);
    });

    test("unknown providers are ignored", async () => {
      const { writer, reader } = await setup();
      const { dataKey, keys } = await wrapped(writer);
      const opened = await reader.onDecrypt(decryptionMaterials(dataKey), [...FOREIGN, ...keys, ...FOREIGN], CALL);
      assert.deepEqual(opened.dataKey?.bytes, dataKey);
    });

    test("an empty list and a list of strangers: no-matching-key", async () => {
      const { reader } = await setup();
      const none = await rejectsWith(
        reader.onDecrypt(decryptionMaterials(randomBytes(32)), [], CALL),
        "no-matching-key",
      );
      assert.deepEqual(none.encryptedDataKeys, []);
      const strangers = await rejectsWith(
        reader.onDecrypt(decryptionMaterials(randomBytes(32)), FOREIGN, CALL),
        "no-matching-key",
      );
      assert.deepEqual(
        strangers.encryptedDataKeys?.map(({ outcome }) => outcome),
        FOREIGN.map(() => "not-configured"),
      );
    });

    test("several encrypted data keys in any order: the message's own is found", async () => {
      const { writer, reader, secondWriter = writer } = await setup();
      const right = await wrapped(writer);
      const wrong = await wrapped(secondWriter);
      const broken = { ...right.keys[0]!, ciphertext: randomBytes(right.keys[0]!.ciphertext.length) };
      for (const list of orders([right.keys[0]!, wrong.keys[0]!, broken])) {
        const materials = decryptionMaterials(right.dataKey);
        const opened = await reader.onDecrypt(materials, list, CALL);
        assert.deepEqual(opened.dataKey?.bytes, right.dataKey);
        const rejected = materials.candidates.slice(0, -1);
        assert.ok(
          rejected.every((candidate) => candidate.every((byte) => byte === 0)),
          "a data key that was not accepted was not wiped",
        );
      }
    });

    test("a data key that is not the message's own is not returned, and wiped", async () => {
      const { writer, reader } = await setup();
      const { keys } = await wrapped(writer);
      const materials = decryptionMaterials(randomBytes(32));
      await rejectsWith(reader.onDecrypt(materials, keys, CALL), "decryption-failed");
      assert.ok(materials.candidates.length > 0);
      assert.ok(materials.candidates.every((candidate) => candidate.every((byte) => byte === 0)));
    });

    test("materials that have a data key already are refused", async () => {
      const { writer, reader } = await setup();
      const { dataKey, keys } = await wrapped(writer);
      const materials = decryptionMaterials(dataKey, { dataKey: SecretBytes.copyOf(dataKey) });
      await rejectsWith(reader.onDecrypt(materials, keys, CALL), "option-invalid");
    });

    test("an aborted call ends as aborted", async () => {
      const { writer, reader } = await setup();
      const { dataKey, keys } = await wrapped(writer);
      const signal = AbortSignal.abort();
      await rejectsWith(writer.onEncrypt(encryptionMaterials(), { signal }), "aborted");
      await rejectsWith(reader.onDecrypt(decryptionMaterials(dataKey), keys, { signal }), "aborted");
    });
  });
}

async function rejectedWithOneOf(promise: Promise<unknown>, codes: readonly string[]): Promise<EnvelopeError> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    assert.ok(codes.includes(error.code), `${error.code} is not one of ${codes.join(", ")}: ${error.message}`);
    return error;
  }
  assert.fail("nothing was thrown");
}
