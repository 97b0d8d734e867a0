/** Who gives `onCall` is told which calls to a KMS an operation took, by the id that the KMS's own log has. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decrypt, encrypt } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient } from "@strongroom/envelope/aws-kms";
import { kmsDiscoveryKeyring } from "@strongroom/envelope/aws-kms-discovery";
import { makeKey, unwrapKey } from "@strongroom/envelope/keyrings";
import type { AnsweredCall } from "@strongroom/envelope/keyrings";
import { ACCOUNT, createKey, runningKms } from "../../support/running-kms.ts";

const REGIONS = ["eu-west-1", "eu-north-1"] as const;
const kms = await runningKms(...REGIONS);
const keys = await Promise.all(
  REGIONS.map(async (region) => {
    const client = kms.client(region);
    return { region, client, keyArn: await createKey(client) };
  }),
);
const [west, north] = [keys[0]!, keys[1]!];
const encryptionContext = { id: "42" };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const keyringOf = (regions: readonly { region: string; keyArn: string; client: KmsClient }[] = keys) =>
  multiRegionKeyring({ regions, minimum: 1, proveWraps: "off" });

function listener() {
  const calls: AnsweredCall[] = [];
  return { calls, onCall: (call: AnsweredCall) => calls.push(call) };
}

const inWords = (calls: readonly AnsweredCall[]) => calls.map(({ region, operation }) => `${region} ${operation}`);

/** The client without what the SDK says beside the answer. */
const structural = (client: KmsClient): KmsClient => ({
  generateDataKey: async (input, options) => without(await client.generateDataKey(input, options)),
  encrypt: async (input, options) => without(await client.encrypt(input, options)),
  decrypt: async (input, options) => without(await client.decrypt(input, options)),
  describeKey: async (input, options) => without(await client.describeKey(input, options)),
});

const without = <Answer extends object>(answer: Answer): Answer => ({ ...answer, $metadata: undefined });

describe("a multi-region keyring", () => {
  test("tells of every call, with the request id and the key that was asked", async () => {
    const [writing, reading] = [listener(), listener()];
    const { message } = await encrypt(Buffer.from("Ada"), {
      keyring: keyringOf(),
      encryptionContext,
      onCall: writing.onCall,
    });
    await decrypt(message, { keyring: keyringOf(), encryptionContext, onCall: reading.onCall });
    assert.deepEqual(inWords(writing.calls), ["eu-west-1 GenerateDataKey", "eu-north-1 Encrypt"]);
    assert.deepEqual(inWords(reading.calls), ["eu-west-1 Decrypt"]);
    const ids = [...writing.calls, ...reading.calls].map(({ requestId }) => requestId);
    assert.ok(ids.every((id) => UUID.test(id)) && new Set(ids).size === 3, ids.join(", "));
    assert.deepEqual(
      writing.calls.map(({ keyArn }) => keyArn),
      [west.keyArn, north.keyArn],
    );
  });

  test("tells of a call that was refused, and of the one that answered", async () => {
    const { message } = await encrypt(Buffer.from("Ada"), { keyring: keyringOf(), encryptionContext });
    await west.client.disableKey({ KeyId: west.keyArn });
    const { calls, onCall } = listener();
    await decrypt(message, { keyring: keyringOf(), encryptionContext, onCall });
    await west.client.enableKey({ KeyId: west.keyArn });
    assert.deepEqual(inWords(calls), ["eu-west-1 Decrypt", "eu-north-1 Decrypt"]);
  });

  test("tells of none where the client gives no request id", async () => {
    const { calls, onCall } = listener();
    const keyring = keyringOf(keys.map((key) => ({ ...key, client: structural(key.client) })));
    const { message } = await encrypt(Buffer.from("Ada"), { keyring, encryptionContext, onCall });
    await decrypt(message, { keyring, encryptionContext, onCall });
    assert.deepEqual(calls, []);
  });

  test("is not stopped by who listens", async () => {
    const onCall = (): void => {
      throw new Error("the listener's own");
    };
    const { message } = await encrypt(Buffer.from("Ada"), { keyring: keyringOf(), encryptionContext, onCall });
    const { plaintext } = await decrypt(message, { keyring: keyringOf(), encryptionContext, onCall });
    assert.equal(Buffer.from(plaintext).toString(), "Ada");
  });
});

test("wrapped keys tell of theirs, over a keyring of one region too", async () => {
  const filter = { partition: "aws", accounts: [ACCOUNT] };
  const single = kmsDiscoveryKeyring({ clients: { [west.region]: west.client }, filter });
  const [making, opening] = [listener(), listener()];
  const { key, wraps } = await makeKey({ keyring: keyringOf([west]), encryptionContext, onCall: making.onCall });
  key.wipe();
  const options = { keyring: single, encryptionContext, accepts: () => true };
  (await unwrapKey(wraps, { ...options, onCall: opening.onCall })).key.wipe();
  assert.deepEqual(inWords([...making.calls, ...opening.calls]), ["eu-west-1 GenerateDataKey", "eu-west-1 Decrypt"]);
});
