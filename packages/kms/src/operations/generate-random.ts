// GenerateRandom: KMS API Reference, API_GenerateRandom.

import { randomBytes } from "node:crypto";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { noSuchStore, validationError } from "../protocol/aws-error.ts";
import { integer, structure } from "../protocol/shape.ts";

export const generateRandom: Operation = operation({
  name: "GenerateRandom",
  effect: "reads",
  input: structure({
    NumberOfBytes: integer({ min: 1, max: 1024 }),
    CustomKeyStoreId: members.storeId,
    Recipient: members.recipient,
  }),
  run(call, { NumberOfBytes, CustomKeyStoreId, Recipient }) {
    call.access.permitOnAccount("kms:GenerateRandom");
    if (NumberOfBytes === undefined) throw validationError("NumberOfBytes is required.");
    if (CustomKeyStoreId !== undefined) throw noSuchStore(CustomKeyStoreId);
    members.refuseRecipient(Recipient);
    return { Plaintext: randomBytes(NumberOfBytes) };
  },
});
