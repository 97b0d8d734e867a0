// DeriveSharedSecret: KMS API Reference, API_DeriveSharedSecret. ECDH as in NIST SP 800-56A, section 5.7.1.2: the
// secret is the x coordinate, as OpenSSL derives it.

import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { algorithmsOf } from "../keys/key-spec.ts";
import { validationError } from "../protocol/aws-error.ts";
import { blob, oneOf, required, structure } from "../protocol/shape.ts";
import { endDryRun, requireAlgorithm, requireUsage } from "./call.ts";
import { keyRequest } from "./key-request.ts";
import * as members from "./members.ts";
import { operation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { refuseRecipient } from "./recipient.ts";

export const deriveSharedSecret: Operation = operation({
  name: "DeriveSharedSecret",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    KeyAgreementAlgorithm: required(oneOf(["ECDH"])),
    PublicKey: required(blob({ min: 1, max: 8192 })),
    GrantTokens: members.grantTokens,
    DryRun: members.dryRun,
    Recipient: members.recipient,
  }),
  run(call, input) {
    refuseRecipient(input.Recipient);
    const key = call.useKey(input.KeyId, keyRequest("DeriveSharedSecret", input));
    requireUsage(key, "KEY_AGREEMENT", "DeriveSharedSecret");
    requireAlgorithm(key, input.KeyAgreementAlgorithm, algorithmsOf(key.spec, key.usage));
    const secret = call.withSecret(key, call.currentMaterial(key), (pkcs8) => agree(pkcs8, input.PublicKey));
    try {
      endDryRun(input.DryRun);
    } catch (error) {
      secret.fill(0);
      throw error;
    }
    call.noteUse(key, "DeriveSharedSecret");
    return {
      KeyId: key.arn,
      SharedSecret: secret,
      KeyAgreementAlgorithm: input.KeyAgreementAlgorithm,
      KeyOrigin: key.origin,
    };
  },
});

/** OpenSSL checks that the public key is a point of the private key's curve. AWS says nothing about what is wrong. */
function agree(pkcs8: Buffer, spki: Buffer): Buffer {
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  try {
    return diffieHellman({ privateKey, publicKey: createPublicKey({ key: spki, format: "der", type: "spki" }) });
  } catch {
    throw validationError("");
  }
}
