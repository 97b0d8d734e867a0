// Node's own AES-256-GCM, one call a message under one key with a random IV: the floor that every construction above it
// is measured from.

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from "node:crypto";

import { inBytes, work, type Contender, type Task } from "../harness/contender.ts";
import { assertPayload, inTurn, payloadOf, several } from "../harness/payload.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A key object, because Node 24 takes four times as long when it is handed the bytes. */
const newKey = (): KeyObject => createSecretKey(randomBytes(32));

function seal(key: KeyObject, plaintext: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  const body = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([iv, body, cipher.getAuthTag()]);
}

function open(key: KeyObject, sealed: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES));
  decipher.final();
  return plaintext;
}

function sealing(task: Task) {
  const key = newKey();
  const payload = payloadOf(task.payloadBytes);
  return work({
    run: () => seal(key, payload),
    verify: (sealed: Buffer) => {
      assertPayload(open(key, sealed), payload);
    },
  });
}

async function opening(task: Task) {
  const key = newKey();
  const payload = payloadOf(task.payloadBytes);
  const next = inTurn(await several(task.distinctMessages, () => seal(key, payload)));
  return work({
    run: () => open(key, next()),
    verify: (plaintext: Buffer) => {
      assertPayload(plaintext, payload);
    },
  });
}

const contender: Contender = {
  title: "raw AES-256-GCM",
  works: {
    "encrypt-1k": sealing,
    "decrypt-1k": opening,
    "encrypt-64k": inBytes(sealing),
    "decrypt-64k": inBytes(opening),
    "encrypt-2m": inBytes(sealing),
    "decrypt-2m": inBytes(opening),
    "encrypt-256m": inBytes(sealing),
    "decrypt-256m": inBytes(opening),
  },
};
export default contender;
