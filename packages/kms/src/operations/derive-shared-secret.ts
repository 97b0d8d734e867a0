// DeriveSharedSecret: KMS API Reference, API_DeriveSharedSecret. ECDH as in NIST SP 800-56A, section 5.7.1.2: the
// secret is the x coordinate, as OpenSSL derives it.

import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import * as members from "../calls/members.ts";
import { endDryRun, keyRequest, operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { requireAlgorithm, requireUsage } from "../keys/key-rules.ts";
import { validationError } from "../protocol/aws-error.ts";
import { blob, oneOf, required, structure } from "../protocol/shape.ts";

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
    members.refuseRecipient(input.Recipient);
    const key = call.access.useKey(input.KeyId, keyRequest("DeriveSharedSecret", input));
    requireUsage(key, "KEY_AGREEMENT", "DeriveSharedSecret");
    requireAlgorithm(key, input.KeyAgreementAlgorithm);
    const secret = call.material.withSecret(key, (pkcs8) => agree(pkcs8, input.PublicKey));
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
