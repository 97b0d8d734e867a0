/** What goes wrong over real HTTP means the same with keys as bytes as with the SDK's client as it comes. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, describe, test } from "node:test";
import { KMS } from "@aws-sdk/client-kms";
import { keysAsBytes, wipingAgents } from "@strongroom/envelope/aws-sdk";
import { createKms } from "@strongroom/kms";
import type { Fault } from "@strongroom/kms";
import { failureKind } from "../../../src/providers/aws-kms/kms-call.ts";
import { createKey } from "../../support/running-kms.ts";

const REGION = "eu-west-1";
const kms = await createKms({ regions: [{ name: REGION, port: 0 }], allowFaults: "loopback" });
const plain = new KMS({ ...kms.clientConfig(REGION), maxAttempts: 1 });
const bytes = keysAsBytes(
  new KMS({ ...kms.clientConfig(REGION), maxAttempts: 1, requestHandler: { ...wipingAgents() } }),
);
const KeyId = await createKey(plain);
const { CiphertextBlob = new Uint8Array() } = await plain.generateDataKey({ KeyId, NumberOfBytes: 32 });
after(async () => {
  for (const client of [plain, bytes]) client.destroy();
  await kms.close();
});

async function setFault(method: "POST" | "DELETE", fault?: Fault): Promise<void> {
  const [, authorization = ""] = (await readFile(kms.faultsHeaderFile ?? "", "utf8")).trim().split(": ");
  const response = await fetch(`${kms.faultsEndpoint ?? ""}/_strongroom/regions/${REGION}/faults`, {
    method,
    headers: { authorization, ...(fault !== undefined && { "content-type": "application/json" }) },
    ...(fault !== undefined && { body: JSON.stringify(fault) }),
  });
  assert.ok(response.ok, await response.text());
}

const CALLS: Readonly<
  Record<
    string,
    (
      client: KMS,
      abortSignal: AbortSignal,
    ) => Promise<{ readonly KeyId?: string | undefined; readonly Plaintext?: Uint8Array | undefined }>
  >
> = {
  GenerateDataKey: (client, abortSignal) => client.generateDataKey({ KeyId, NumberOfBytes: 32 }, { abortSignal }),
  Encrypt: (client, abortSignal) => client.encrypt({ KeyId, Plaintext: Buffer.alloc(32, 1) }, { abortSignal }),
  Decrypt: (client, abortSignal) => client.decrypt({ CiphertextBlob, KeyId }, { abortSignal }),
};

/** What the keyring makes of a call: how it failed, or what it checks in the answer. */
async function outcome(
  call: Promise<{ readonly KeyId?: string | undefined; readonly Plaintext?: Uint8Array | undefined }>,
): Promise<unknown> {
  try {
    const answer = await call;
    return { ownKeyId: answer.KeyId === KeyId, length: answer.Plaintext?.length };
  } catch (error) {
    return { kind: failureKind(error), name: (error as Error).name };
  }
}

const FAULTS: readonly (Fault | null)[] = [
  null,
  { kind: "refuse" },
  { kind: "black-hole" },
  { kind: "half-closed" },
  { kind: "slow-body", intervalMs: 50 },
  { kind: "corrupt-json" },
  { kind: "server-error" },
  { kind: "server-error", status: 503 },
  { kind: "throttle" },
  { kind: "expired-credentials" },
  { kind: "access-denied" },
  { kind: "disabled-key" },
  { kind: "wrong-key-id" },
  { kind: "wrong-plaintext" },
  { kind: "short-plaintext" },
];

describe("a fault means the same", () => {
  for (const fault of FAULTS) {
    test(fault === null ? "none" : JSON.stringify(fault), async (t) => {
      if (fault !== null) await setFault("POST", fault);
      t.after(() => setFault("DELETE"));
      for (const [operation, call] of Object.entries(CALLS)) {
        const [theirs, ours] = await Promise.all(
          [plain, bytes].map((client) => outcome(call(client, AbortSignal.timeout(500)))),
        );
        assert.deepEqual(ours, theirs, operation);
      }
    });
  }
});
