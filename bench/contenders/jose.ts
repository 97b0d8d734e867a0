// A compact JWE of jose: direct encryption under one key with A256GCM.

import { randomBytes } from "node:crypto";
import { compactDecrypt, CompactEncrypt } from "jose";

import { work, type Contender, type Task } from "../harness/contender.ts";
import { assertPayload, inTurn, payloadOf, several } from "../harness/payload.ts";

const seal = (key: Uint8Array, payload: Uint8Array): Promise<string> =>
  new CompactEncrypt(payload).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);

function sealing(task: Task) {
  const key = randomBytes(32);
  const payload = payloadOf(task.payloadBytes);
  return work({
    run: () => seal(key, payload),
    verify: async (token: string) => {
      assertPayload((await compactDecrypt(token, key)).plaintext, payload);
    },
  });
}

async function opening(task: Task) {
  const key = randomBytes(32);
  const payload = payloadOf(task.payloadBytes);
  const next = inTurn(await several(task.distinctMessages, () => seal(key, payload)));
  return work({
    run: async () => (await compactDecrypt(next(), key)).plaintext,
    verify: (plaintext: Uint8Array) => {
      assertPayload(plaintext, payload);
    },
  });
}

const contender: Contender = {
  title: "jose (dir, A256GCM)",
  packageName: "jose",
  works: { "encrypt-1k": sealing, "decrypt-1k": opening },
};
export default contender;
