// Node's own AES-256-GCM cipher streams in a pipeline: no frames, no header, and plaintext released before it is
// authenticated.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

import type { Contender, Task } from "../harness/contender.ts";
import { roundTripWork, sealingWork, type Flow } from "../harness/flow.ts";

function rawFlow(): Flow {
  const key = randomBytes(32);
  const iv = randomBytes(12);
  let tag: (() => Buffer) | undefined;
  return {
    seal: () => {
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      tag = () => cipher.getAuthTag();
      return [cipher];
    },
    open: () => {
      const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: 16 });
      // The tag exists once the cipher has ended, which is before the decipher's own end.
      const final = decipher._flush.bind(decipher);
      decipher._flush = (done) => {
        if (tag !== undefined) decipher.setAuthTag(tag());
        final(done);
      };
      return [decipher];
    },
  };
}

const contender: Contender = {
  title: "raw cipher stream",
  works: {
    "stream-1g": (task: Task) => sealingWork(task, rawFlow()),
    "stream-round-trip-1g": (task: Task) => roundTripWork(task, rawFlow()),
  },
};
export default contender;
