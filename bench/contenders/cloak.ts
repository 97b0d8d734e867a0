// Cloak, the envelope of prisma-field-encryption: AES-256-GCM under one long-lived key, text in and text out; its
// synchronous calls are its fastest.

import { decryptStringSync, encryptStringSync, generateKey, parseKeySync } from "@47ng/cloak";

import { work, type Contender, type Task } from "../harness/contender.ts";
import { assertPayload, inTurn, payloadOf, several } from "../harness/payload.ts";

function sealing(task: Task) {
  const key = parseKeySync(generateKey());
  const payload = payloadOf(task.payloadBytes);
  const text = payload.toString("latin1");
  return work({
    run: () => encryptStringSync(text, key),
    verify: (sealed: string) => {
      assertPayload(Buffer.from(decryptStringSync(sealed, key), "latin1"), payload);
    },
  });
}

async function opening(task: Task) {
  const key = parseKeySync(generateKey());
  const payload = payloadOf(task.payloadBytes);
  const text = payload.toString("latin1");
  const next = inTurn(await several(task.distinctMessages, () => encryptStringSync(text, key)));
  return work({
    run: () => decryptStringSync(next(), key),
    verify: (opened: string) => {
      assertPayload(Buffer.from(opened, "latin1"), payload);
    },
  });
}

const contender: Contender = {
  title: "cloak",
  packageName: "@47ng/cloak",
  works: { "encrypt-1k": sealing, "decrypt-1k": opening },
};
export default contender;
