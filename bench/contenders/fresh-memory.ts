// No cryptography: the payload copied into memory that was never touched. The operating system clears each page of it
// first, and any result of that size pays for that.

import { inBytes, work, type Contender } from "../harness/contender.ts";
import { assertPayload, payloadOf } from "../harness/payload.ts";

const copying = inBytes(({ payloadBytes }) => {
  const payload = payloadOf(payloadBytes);
  return work({
    run: () => {
      const copy = Buffer.from(new ArrayBuffer(payloadBytes));
      copy.set(payload);
      return copy;
    },
    verify: (copy: Buffer) => {
      assertPayload(copy, payload);
    },
  });
});

const contender: Contender = {
  title: "copying into fresh memory",
  works: { "encrypt-256m": copying, "decrypt-256m": copying },
};
export default contender;
