/**
 * Crosses messages with the official SDK: what either writes, the other reads; every suite, over keyrings of three
 * kinds.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import {
  buildClient,
  CommitmentPolicy,
  KmsKeyringNode,
  oaepHashSupported,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
} from "@aws-crypto/client-node";
import type { getClient } from "@aws-crypto/client-node";
import { KMS } from "@aws-sdk/client-kms";
import { createDecryptStream, createEncryptStream, decrypt, encrypt, rawAesKeyring } from "@strongroom/envelope";
import { ALGORITHM_SUITES } from "@strongroom/envelope/format";
import type { DecryptOptions, Keyring } from "@strongroom/envelope";
import type { AlgorithmSuite, AlgorithmSuiteName } from "@strongroom/envelope/format";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { rawRsaKeyring } from "@strongroom/envelope/raw-rsa";
import { createKms } from "@strongroom/kms";
import type { Kms } from "@strongroom/kms";

const required = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const forbidden = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);

type TheirKeyring = Parameters<typeof required.decrypt>[0];

interface Pair {
  readonly ours: Keyring;
  readonly theirs: TheirKeyring;
}

const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"];
let kms: Kms | undefined;
const pairs: Partial<Record<"raw AES" | "raw RSA" | "KMS in three regions", Pair>> = {};

/** Their classes are frozen and so in the types no longer what their own functions take. */
function asTheirs(keyring: object): TheirKeyring {
  return keyring as TheirKeyring;
}

function aesPair(): Pair {
  const wrappingKey = randomBytes(32);
  const names = { keyNamespace: "interop", keyName: "aes" };
  // Their keyring insists on memory of its own.
  const unencryptedMasterKey = Uint8Array.from(wrappingKey);
  const wrappingSuite = RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING;
  return {
    ours: rawAesKeyring({ ...names, wrappingKey }),
    theirs: asTheirs(new RawAesKeyringNode({ ...names, unencryptedMasterKey, wrappingSuite, utf8Sorting: true })),
  };
}

function rsaPair(): Pair {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const names = { keyNamespace: "interop", keyName: "rsa" };
  assert.ok(oaepHashSupported);
  return {
    ours: rawRsaKeyring({ ...names, publicKey, privateKey, padding: "OAEP_SHA256_MGF1" }),
    theirs: asTheirs(new RawRsaKeyringNode({ ...names, rsaKey: { publicKey, privateKey }, oaepHash: "sha256" })),
  };
}

async function kmsPair(running: Kms): Promise<Pair> {
  const regions = await Promise.all(
    REGIONS.map(async (region) => {
      const client = new KMS({ ...running.clientConfig(region), maxAttempts: 1 });
      const { KeyMetadata } = await client.createKey({});
      return { region, client, keyArn: KeyMetadata?.Arn ?? "" };
    }),
  );
  const [generatorKeyId = "", ...keyIds] = regions.map(({ keyArn }) => keyArn);
  const clientProvider = ((region: string) =>
    regions.find((each) => each.region === region)?.client) as unknown as ReturnType<typeof getClient>;
  // A loaded test machine is no lost region.
  const patience = { attemptTimeoutMs: 20_000, deadlineMs: 60_000 };
  return {
    ours: multiRegionKeyring({ regions, minimum: 3, ...patience }),
    theirs: asTheirs(new KmsKeyringNode({ generatorKeyId, keyIds, clientProvider })),
  };
}

const clientFor = ({ committing }: AlgorithmSuite): typeof required => (committing ? required : forbidden);
const policyFor = ({ committing }: AlgorithmSuite): Pick<DecryptOptions, "commitmentPolicy"> =>
  committing ? {} : { commitmentPolicy: "forbid-encrypt-allow-decrypt" };

/** What is crossed with every suite. */
export interface Crossings {
  readonly contexts: readonly Record<string, string>[];
  /** Bytes of plaintext. */
  readonly sizes: Readonly<Record<keyof typeof pairs, readonly number[]>>;
  readonly frameLengths: readonly number[];
}

/** Declares the tests, and one that prints how many messages crossed. */
export function describeCrossings({ contexts, sizes, frameLengths }: Crossings): void {
  let messages = 0;

  before(async () => {
    kms = await createKms({ regions: REGIONS.map((name) => ({ name, port: 0 })) });
    pairs["raw AES"] = aesPair();
    pairs["raw RSA"] = rsaPair();
    pairs["KMS in three regions"] = await kmsPair(kms);
  });
  after(() => kms?.close());

  describe("AWS Encryption SDK for JavaScript, both directions", () => {
    for (const keyring of Object.keys(sizes) as (keyof typeof sizes)[]) {
      for (const name of Object.keys(ALGORITHM_SUITES) as AlgorithmSuiteName[]) {
        test(`${keyring}, ${name}`, async () => {
          const { ours, theirs } = pairs[keyring] ?? assert.fail(keyring);
          const suite = ALGORITHM_SUITES[name];
          for (const encryptionContext of contexts) {
            for (const size of sizes[keyring]) {
              for (const frameLength of frameLengths) {
                const plaintext = randomBytes(size);
                const mine = await encrypt(plaintext, {
                  keyring: ours,
                  encryptionContext,
                  frameLength,
                  suite: name,
                  ...policyFor(suite),
                });
                assert.deepEqual((await clientFor(suite).decrypt(theirs, mine.message)).plaintext, plaintext);

                const written = await clientFor(suite).encrypt(theirs, plaintext, {
                  encryptionContext,
                  frameLength,
                  suiteId: suite.id as never,
                });
                const readByUs = await decrypt(written.result, {
                  keyring: ours,
                  encryptionContext,
                  ...policyFor(suite),
                });
                assert.deepEqual(Buffer.from(readByUs.plaintext), plaintext);
                messages += 2;
              }
            }
          }
        });
      }
    }

    test("streams", async () => {
      const { ours, theirs } = pairs["raw AES"] ?? assert.fail();
      for (const size of [0, 4096, 100_000]) {
        const plaintext = randomBytes(size);
        const options = { keyring: ours, encryptionContext: { id: "42" } };
        const mine = await buffer(Readable.from([plaintext]).pipe(createEncryptStream(options)));
        assert.deepEqual((await required.decrypt(theirs, mine)).plaintext, plaintext);
        const { result } = await required.encrypt(theirs, plaintext, { encryptionContext: { id: "42" } });
        assert.deepEqual(await buffer(Readable.from([result]).pipe(createDecryptStream(options))), plaintext);
        messages += 2;
      }
    });

    test("contexts that they sort by locale are read", async () => {
      const wrappingKey = randomBytes(32);
      const names = { keyNamespace: "interop", keyName: "locale" };
      const wrappingSuite = RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING;
      const theirs = asTheirs(
        new RawAesKeyringNode({ ...names, unencryptedMasterKey: Uint8Array.from(wrappingKey), wrappingSuite }),
      );
      const encryptionContext = { B: "capitals come first in UTF-8", a: "but not by locale" };
      const { result } = await required.encrypt(theirs, Buffer.from("sorted otherwise"), { encryptionContext });
      const { plaintext } = await decrypt(result, {
        keyring: rawAesKeyring({ ...names, wrappingKey }),
        encryptionContext,
      });
      assert.equal(Buffer.from(plaintext).toString(), "sorted otherwise");
      messages++;
    });

    test("count", (t) => {
      t.diagnostic(`${messages} messages crossed, 0 failures`);
    });
  });
}
