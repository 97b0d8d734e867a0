/**
 * Wraps as the inventory keeps them: the same for the same keys, whichever message they are of.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import { encrypt, rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { rawEcdhKeyring } from "@strongroom/envelope/raw-ecdh";
import { sealedWrapSet, wrapsOf } from "../../src/keys/wraps.ts";
import type { WrapSet } from "../../src/stores/wrap-set.ts";
import { wrapSetForm } from "../../src/stores/wrap-set.ts";

const aes = (keyName: string): Keyring =>
  rawAesKeyring({ keyNamespace: "strongroom-test", keyName, wrappingKey: randomBytes(32) });

/** Twice, and what both messages say of themselves. */
async function sealedTwice(keyring: Keyring): Promise<readonly WrapSet[]> {
  const sealed = [];
  for (let n = 0; n < 2; n++) {
    const result = await encrypt(Buffer.from("x"), { keyring, encryptionContext: { n: String(n) } });
    const set = sealedWrapSet(result);
    assert.deepEqual(wrapsOf(result.message), set.wraps);
    sealed.push(set);
  }
  return sealed;
}

test("two messages under the same keys have one wrap set, in whatever order a keyring wraps", async () => {
  const [one, other] = await sealedTwice(multiKeyring({ generator: aes("a"), children: [aes("b")] }));
  assert.equal(wrapSetForm(one!), wrapSetForm(other!));
  assert.deepEqual(
    one!.wraps.map(({ provider, key, material }) => [provider, key, material]),
    ["a", "b"].map((key) => ["strongroom-test", key, null]),
  );
  assert.deepEqual([one!.target, one!.missing], [2, []]);
});

test("a key pair that is made for each message makes no wrap set of its own", async () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyring = rawEcdhKeyring({
    curve: "ECC_NIST_P256",
    schema: { kind: "EphemeralPrivateKeyToStaticPublicKey", recipientPublicKey: publicKey },
  });
  const [one, other] = await sealedTwice(keyring);
  assert.equal(wrapSetForm(one!), wrapSetForm(other!));
  assert.match(one?.wraps[0]?.key ?? "", /^0[23][0-9a-f]{64}$/);
});

test("beside a keyring that reports, those that do not are wanted and there", () => {
  const edk = (providerId: string, info: string): never =>
    ({ providerId, providerInfo: Buffer.from(info), ciphertext: Buffer.alloc(1) }) as never;
  const set = sealedWrapSet({
    encryptedDataKeys: [edk("aws-kms", "arn:1"), edk("raw", "k")],
    wraps: {
      target: 2,
      minimum: 1,
      stored: [{ region: "r1", keyArn: "arn:1" }],
      missing: [{ region: "r2", keyArn: "arn:2", reason: "refused" }],
    },
  });
  assert.deepEqual(
    [set.wraps.length, set.target, set.missing],
    [2, 3, [{ region: "r2", keyArn: "arn:2", reason: "refused" }]],
  );
});
