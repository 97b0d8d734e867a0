import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { EnvelopeError, inspect, rawAesKeyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring, MultiRegionOptions } from "@strongroom/envelope/aws-kms";
import { decryptDirect, DIRECT_LIMIT_BYTES, encryptDirect } from "@strongroom/envelope/aws-kms-direct";
import type { DirectOptions } from "@strongroom/envelope/aws-kms-direct";
import { rejectsWith, throwsWith } from "../support/errors.ts";
import { InMemoryKms, named } from "../support/in-memory-kms.ts";
import { createKey, runningKms } from "../support/running-kms.ts";

const encryptionContext = { secret: "smtp-password", stage: "live" };
const password = Buffer.from("correct horse battery staple");

function setup(options: Partial<MultiRegionOptions> = {}): {
  readonly kms: readonly [InMemoryKms, InMemoryKms, InMemoryKms];
  readonly keyring: MultiRegionKeyring;
} {
  const kms = [new InMemoryKms("eu-west-1"), new InMemoryKms("eu-west-2"), new InMemoryKms("eu-central-1")] as const;
  return { kms, keyring: multiRegionKeyring({ regions: kms.map((each) => each.asRegion), minimum: 2, ...options }) };
}

describe("direct encryption, against the project's KMS", async () => {
  const regions = ["eu-west-1", "eu-west-2"] as const;
  const running = await runningKms(...regions);
  const keys = await Promise.all(
    regions.map(async (region) => ({
      region,
      keyArn: await createKey(running.client(region)),
      client: running.client(region),
    })),
  );
  const keyring = multiRegionKeyring({ regions: keys, minimum: 1, attemptTimeoutMs: 20_000, deadlineMs: 30_000 });

  test("every length that the KMS takes comes back", async () => {
    for (const length of [1, 16, 28, 4095, DIRECT_LIMIT_BYTES]) {
      const plaintext = randomBytes(length);
      const { sealed, wraps } = await encryptDirect(plaintext, { keyring, encryptionContext });
      assert.equal(wraps.stored.length, 2);
      assert.deepEqual(Buffer.from(await decryptDirect(sealed, { keyring, encryptionContext })), plaintext);
    }
  });

  test("each region's part is a ciphertext blob that the KMS opens by itself", async () => {
    const { sealed } = await encryptDirect(password, { keyring, encryptionContext });
    for (const { client, keyArn } of keys) {
      const at = Buffer.from(sealed).indexOf(keyArn) + keyArn.length;
      const CiphertextBlob = sealed.subarray(at + 2, at + 2 + Buffer.from(sealed).readUInt16BE(at));
      const { Plaintext } = await client.decrypt({
        KeyId: keyArn,
        CiphertextBlob,
        EncryptionContext: encryptionContext,
      });
      assert.deepEqual(Buffer.from(Plaintext!), password);
    }
  });

  test("opens in the other region when the first is gone", async () => {
    const { sealed } = await encryptDirect(password, { keyring, encryptionContext });
    await running.stopRegion("eu-west-1");
    try {
      assert.deepEqual(Buffer.from(await decryptDirect(sealed, { keyring, encryptionContext })), password);
    } finally {
      await running.startRegion("eu-west-1");
    }
  });
});

describe("direct encryption", () => {
  test("asks for no data key, and reports regions that are missing", async () => {
    const { kms, keyring } = setup({ proveWraps: "off" });
    kms[1].fault = { kind: "throws", error: named("DisabledException") };
    const { wraps } = await encryptDirect(password, { keyring, encryptionContext });
    assert.deepEqual(
      kms.map(({ calls }) => calls),
      [["Encrypt"], ["Encrypt"], ["Encrypt"]],
    );
    assert.deepEqual(
      wraps.missing.map(({ region, reason }) => [region, reason]),
      [["eu-west-2", "key-disabled"]],
    );
    kms[2].fault = { kind: "throws", error: named("DisabledException") };
    await rejectsWith(encryptDirect(password, { keyring, encryptionContext }), "wraps-below-minimum");
  });

  test("a region that wraps something else is found out, and its wrap does not count", async () => {
    const { kms, keyring } = setup({ proveWraps: "all" });
    kms[1].wrapping = ({ seal }) => seal(Buffer.from("another password"));
    const { wraps } = await encryptDirect(password, { keyring, encryptionContext });
    assert.deepEqual(
      wraps.missing.map(({ region, reason }) => [region, reason]),
      [["eu-west-2", "wrap-does-not-open"]],
    );
  });

  test("another context opens nothing", async () => {
    const { keyring } = setup();
    const { sealed } = await encryptDirect(password, { keyring, encryptionContext });
    for (const other of [{}, { ...encryptionContext, stage: "test" }, { secret: "smtp-password" }]) {
      await rejectsWith(decryptDirect(sealed, { keyring, encryptionContext: other }), "decryption-failed");
    }
  });

  test("no changed bit, no missing and no added byte is accepted", async (t) => {
    const { keyring } = setup();
    const { sealed } = await encryptDirect(password, { keyring, encryptionContext });
    let accepted = 0;
    const variants = [
      ...Array.from({ length: sealed.length }, (_, length) => sealed.subarray(0, length)),
      ...[1, 2, 64].map((length) => Buffer.concat([sealed, randomBytes(length)])),
    ];
    for (const variant of variants) {
      const error = await decryptDirect(variant, { keyring, encryptionContext }).then(
        () => null,
        (reason: unknown) => reason,
      );
      if (error === null) accepted++;
      else
        assert.ok(
          error instanceof EnvelopeError && ["message-truncated", "message-trailing-bytes"].includes(error.code),
        );
    }
    for (let bit = 0; bit < sealed.length * 8; bit += 3) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      // One region's part may be spoiled: another's opens it, and then it is the true plaintext.
      const opened = await decryptDirect(changed, { keyring, encryptionContext }).catch(
        (error: unknown) => (assert.ok(error instanceof EnvelopeError), null),
      );
      if (opened !== null && !password.equals(opened)) accepted++;
    }
    assert.equal(accepted, 0);
    t.diagnostic(`${variants.length} lengths and ${Math.ceil((sealed.length * 8) / 3)} bits changed, 0 accepted`);
  });

  test("is no message, and a message is none of it", async () => {
    const { kms, keyring } = setup();
    const { sealed } = await encryptDirect(password, { keyring, encryptionContext });
    throwsWith(() => inspect(sealed), "message-malformed");
    const calls = kms[0].calls.length;
    await rejectsWith(
      decryptDirect(Buffer.from([2, 4, 0x78, ...randomBytes(100)]), { keyring, encryptionContext }),
      "message-malformed",
    );
    assert.equal(kms[0].calls.length, calls);
  });

  test("the copy of the plaintext that was handed to the client is wiped", async () => {
    const { kms } = setup();
    const given: Uint8Array[] = [];
    const spying = kms.map((each) => ({
      ...each.asRegion,
      client: Object.assign(Object.create(each) as InMemoryKms, {
        encrypt: (input: Parameters<InMemoryKms["encrypt"]>[0]) => (given.push(input.Plaintext), each.encrypt(input)),
      }),
    }));
    const keyring = multiRegionKeyring({ regions: spying, minimum: 2, proveWraps: "off" });
    await encryptDirect(password, { keyring, encryptionContext });
    assert.equal(given.length, 3);
    assert.ok(given.every((bytes) => bytes.every((byte) => byte === 0)));
    assert.equal(password.toString(), "correct horse battery staple");
  });

  test("what cannot work is refused before any call", async () => {
    const { kms, keyring } = setup();
    await rejectsWith(
      encryptDirect(randomBytes(DIRECT_LIMIT_BYTES + 1), { keyring, encryptionContext }),
      "limit-exceeded",
    );
    await rejectsWith(encryptDirect(new Uint8Array(0), { keyring, encryptionContext }), "option-invalid");
    await rejectsWith(encryptDirect("text" as unknown as Uint8Array, { keyring, encryptionContext }), "option-invalid");
    await rejectsWith(
      encryptDirect(password, { keyring, encryptionContext: undefined } as unknown as DirectOptions),
      "option-invalid",
    );
    await rejectsWith(
      encryptDirect(password, { keyring, encryptionContext: { "aws-crypto-x": "1" } }),
      "option-invalid",
    );
    const aes = rawAesKeyring({ keyNamespace: "a", keyName: "b", wrappingKey: randomBytes(32) });
    await rejectsWith(
      encryptDirect(password, { keyring: aes as unknown as MultiRegionKeyring, encryptionContext }),
      "option-invalid",
    );
    await rejectsWith(encryptDirect(password, { keyring, encryptionContext, signal: AbortSignal.abort() }), "aborted");
    assert.ok(kms.every(({ calls }) => calls.length === 0));
  });
});
