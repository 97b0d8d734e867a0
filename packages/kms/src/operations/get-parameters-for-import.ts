// GetParametersForImport: KMS API Reference, API_GetParametersForImport. The private half of the wrapping key is
// sealed like any other secret and lives as long as the token.

import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Call } from "../calls/call.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { DAY } from "../clock.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { requireOrigin } from "../keys/key-rules.ts";
import { unsupported } from "../protocol/aws-error.ts";
import { seconds } from "../protocol/exchange.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";

const MODULUS = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 } as const;

export const getParametersForImport: Operation = operation({
  name: "GetParametersForImport",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    WrappingAlgorithm: required(
      oneOf([
        "RSAES_PKCS1_V1_5",
        "RSAES_OAEP_SHA_1",
        "RSAES_OAEP_SHA_256",
        "RSA_AES_KEY_WRAP_SHA_1",
        "RSA_AES_KEY_WRAP_SHA_256",
        "SM2PKE",
      ]),
    ),
    WrappingKeySpec: required(oneOf(["RSA_2048", "RSA_3072", "RSA_4096", "SM2"])),
  }),
  async run(call, { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: spec }) {
    const admitted = admit(call, KeyId);
    // AWS withdrew PKCS #1 v1.5 in 2023; SM2 is for its China Regions.
    if (algorithm === "RSAES_PKCS1_V1_5" || algorithm === "SM2PKE" || spec === "SM2") {
      throw unsupported(`Wrapping with ${algorithm} and ${spec} is not supported.`);
    }
    const { privateKey, publicKey } = await promisify(generateKeyPair)("rsa", {
      modulusLength: MODULUS[spec],
      publicKeyEncoding: { type: "spki", format: "der" },
      privateKeyEncoding: { type: "pkcs8", format: "der" },
    });
    const tokenId = randomBytes(32).toString("hex");
    const sealed = call.material.sealImportKey(admitted, tokenId, privateKey);
    privateKey.fill(0);
    const key = admit(call, KeyId);
    const validTo = call.now + DAY;
    call.apply({
      kind: "put-import-key",
      importKey: { region: key.region, keyId: key.keyId, tokenId, algorithm, validTo, sealed },
    });
    return {
      KeyId: key.arn,
      ImportToken: Buffer.from(tokenId, "hex"),
      PublicKey: publicKey,
      ParametersValidTo: seconds(validTo),
    };
  },
});

function admit(call: Call, reference: string): KeyRecord {
  const key = call.access.useKeyById(reference, { operation: "GetParametersForImport" });
  requireOrigin(key, "EXTERNAL");
  return key;
}
