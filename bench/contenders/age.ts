// age in TypeScript (typage): X25519 and ChaCha20-Poly1305 in plain JavaScript, 64 KB chunks. It has no cached keys:
// each file has its own recipient wrap.

import { Duplex } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";

import { inBytes, work, type Contender, type Task } from "../harness/contender.ts";
import { roundTripWork, sealingWork, type Flow } from "../harness/flow.ts";
import { assertPayload, payloadOf } from "../harness/payload.ts";

async function keys(): Promise<{ readonly encrypter: Encrypter; readonly decrypter: Decrypter }> {
  const identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return { encrypter, decrypter };
}

async function sealing(task: Task) {
  const { encrypter, decrypter } = await keys();
  const payload = payloadOf(task.payloadBytes);
  return work({
    run: () => encrypter.encrypt(payload),
    verify: async (file: Uint8Array) => {
      assertPayload(await decrypter.decrypt(file), payload);
    },
  });
}

/** age takes a whole web stream and gives one back; a Duplex around both ends lets it stand in a pipeline. */
function stage(through: (input: ReadableStream<Uint8Array>) => Promise<ReadableStream<Uint8Array>>): Duplex {
  return Duplex.from(async function* (input: AsyncIterable<Uint8Array>) {
    yield* await through(ReadableStream.from(input));
  });
}

async function ageFlow(): Promise<Flow> {
  const { encrypter, decrypter } = await keys();
  return {
    seal: () => [stage((input) => encrypter.encrypt(input))],
    open: () => [stage((input) => decrypter.decrypt(input))],
  };
}

const contender: Contender = {
  title: "age (typage)",
  packageName: "age-encryption",
  works: {
    "encrypt-64k": inBytes(sealing),
    "encrypt-2m": inBytes(sealing),
    "stream-1g": async (task) => sealingWork(task, await ageFlow()),
    "stream-round-trip-1g": async (task) => roundTripWork(task, await ageFlow()),
  },
};
export default contender;
