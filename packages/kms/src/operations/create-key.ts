// CreateKey: KMS API Reference, API_CreateKey.

import { randomUUID } from "node:crypto";
import { defaultKeyPolicy } from "../access/policy.ts";
import { keyMetadata } from "../calls/answers.ts";
import { withMaterial } from "../calls/first-material.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { keyArn } from "../keys/key-arn.ts";
import { newTags } from "../keys/key-record.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { CUSTOMER_MASTER_KEY_SPECS, KEY_SPEC_NAMES, KEY_USAGES, algorithmsOf } from "../keys/key-spec.ts";
import type { KeySpec, KeyUsage } from "../keys/key-spec.ts";
import { noSuchStore, unsupported, validationError } from "../protocol/aws-error.ts";
import { flag, oneOf, structure, text } from "../protocol/shape.ts";
import type { Infer } from "../protocol/shape.ts";

const input = structure({
  Policy: members.policyDocument,
  Description: members.description,
  KeyUsage: oneOf(KEY_USAGES),
  CustomerMasterKeySpec: oneOf(CUSTOMER_MASTER_KEY_SPECS),
  KeySpec: oneOf(KEY_SPEC_NAMES),
  Origin: oneOf(["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
  CustomKeyStoreId: members.storeId,
  BypassPolicyLockoutSafetyCheck: flag(),
  Tags: members.tags,
  MultiRegion: flag(),
  XksKeyId: text({ min: 1, max: 128, pattern: "^[a-zA-Z0-9-_.]+$" }),
});

export const createKey: Operation = operation({
  name: "CreateKey",
  effect: "writes",
  input,
  async run(call, input) {
    // Whoever may make no key is told nothing of what else is wrong.
    call.access.permitOnAccount("kms:CreateKey");
    const { spec, usage } = specAndUsage(input);
    const origin = originOf(input);
    const tags = newTags([], input.Tags ?? []);
    const policy = input.Policy ?? defaultKeyPolicy(call.account);
    const multiRegion = input.MultiRegion === true;
    const keyId = multiRegion ? `mrk-${randomUUID().replaceAll("-", "")}` : randomUUID();
    const bare: KeyRecord = {
      region: call.region.name,
      keyId,
      arn: keyArn(call.region.name, call.account, keyId),
      createdAt: call.now,
      description: input.Description ?? "",
      spec,
      usage,
      origin,
      enabled: true,
      deletion: null,
      policy,
      tags,
      primaryRegion: multiRegion ? call.region.name : null,
      automaticRotation: null,
      backingKeys: [],
    };
    call.access.permitNewKey(bare);
    call.access.requireSafePolicy(bare, { bypass: input.BypassPolicyLockoutSafetyCheck === true });
    const key = origin === "EXTERNAL" ? bare : await withMaterial(call, bare);
    call.touched.add(key.arn);
    call.apply({ kind: "put-key", key });
    return { KeyMetadata: keyMetadata(key, call.account, [key]) };
  },
});

function specAndUsage(values: Infer<typeof input>): { spec: KeySpec; usage: KeyUsage } {
  if (values.KeySpec !== undefined && values.CustomerMasterKeySpec !== undefined) {
    throw validationError(
      "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
    );
  }
  const spec = values.KeySpec ?? values.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  if (spec === "SM2") throw unsupported("The key spec SM2 is available in China Regions only.");
  if (values.KeyUsage === undefined && spec !== "SYMMETRIC_DEFAULT") {
    throw validationError("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.");
  }
  const usage = values.KeyUsage ?? "ENCRYPT_DECRYPT";
  if (algorithmsOf(spec, usage).length === 0) {
    // AWS words the oldest of these mistakes in its own way.
    throw spec === "SYMMETRIC_DEFAULT" && usage === "SIGN_VERIFY"
      ? validationError(
          "The operation failed because the KeyUsage value of the CMK is SIGN_VERIFY. To perform this operation, " +
            "the KeyUsage value must be ENCRYPT_DECRYPT.",
        )
      : validationError(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  return { spec, usage };
}

/** Custom key stores do not exist here: AWS's answers for an account that has none. */
function originOf(values: Infer<typeof input>): "AWS_KMS" | "EXTERNAL" {
  const origin = values.Origin ?? "AWS_KMS";
  if (values.CustomKeyStoreId !== undefined) {
    throw noSuchStore(values.CustomKeyStoreId);
  }
  if (origin === "AWS_CLOUDHSM" || origin === "EXTERNAL_KEY_STORE") {
    throw validationError(`You must specify a CustomKeyStoreId for a KMS key with Origin ${origin}.`);
  }
  return origin;
}
