// GenerateRandom: KMS API Reference, API_GenerateRandom.

import { randomBytes } from "node:crypto";
import { AwsError, validationError } from "../protocol/aws-error.ts";
import { integer, structure, text } from "../protocol/shape.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { refuseRecipient } from "./recipient.ts";

export const generateRandom: Operation = operation({
  name: "GenerateRandom",
  effect: "reads",
  input: structure({
    NumberOfBytes: integer({ min: 1, max: 1024 }),
    CustomKeyStoreId: text({ min: 1, max: 64 }),
    Recipient: members.recipient,
  }),
  run(call, { NumberOfBytes, CustomKeyStoreId, Recipient }) {
    if (NumberOfBytes === undefined) throw validationError("NumberOfBytes is required.");
    if (CustomKeyStoreId !== undefined) {
      throw new AwsError(
        "CustomKeyStoreNotFoundException",
        `Custom key store with id ${CustomKeyStoreId} does not exist.`,
      );
    }
    refuseRecipient(Recipient);
    call.admitAccount("kms:GenerateRandom");
    return { Plaintext: randomBytes(NumberOfBytes) };
  },
});
