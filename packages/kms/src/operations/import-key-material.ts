// ImportKeyMaterial: KMS API Reference, API_ImportKeyMaterial.

import type { Call } from "../calls/call.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import { materialIdOf, recogniseSecret, unwrapMaterial } from "../crypto/backing-secret.ts";
import { currentBackingKey } from "../keys/key-record.ts";
import type { BackingKey, KeyRecord } from "../keys/key-record.ts";
import { requireOrigin } from "../keys/key-rules.ts";
import { AwsError, invalidCiphertext, invalidState, unsupported, validationError } from "../protocol/aws-error.ts";
import { blob, oneOf, required, structure, text, timestamp } from "../protocol/shape.ts";
import type { Infer } from "../protocol/shape.ts";
import type { Change } from "../store/region-data.ts";

/** Imported material lasts a year at most if it expires at all. */
const MAX_VALIDITY_MS = 365 * 86_400_000;

const input = structure({
  KeyId: required(members.keyId),
  ImportToken: required(blob({ min: 1, max: 6144 })),
  EncryptedKeyMaterial: required(blob({ min: 1, max: 6144 })),
  ValidTo: timestamp(),
  ExpirationModel: oneOf(["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"]),
  ImportType: oneOf(["NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]),
  KeyMaterialDescription: text({ max: 256, pattern: String.raw`^[a-zA-Z0-9:/_\s.-]+$` }),
  KeyMaterialId: members.keyMaterialId,
});
type Input = Infer<typeof input>;

export const importKeyMaterial: Operation = operation({
  name: "ImportKeyMaterial",
  effect: "writes",
  input,
  run(call, values) {
    const key = call.access.useKeyById(values.KeyId, { operation: "ImportKeyMaterial" });
    requireOrigin(key, "EXTERNAL");
    const imported = { validTo: validTo(call, values), description: values.KeyMaterialDescription ?? null };
    const { secret, publicKey } = unwrap(call, key, values);
    try {
      const id = materialIdOf(key.keyId, secret);
      if (values.KeyMaterialId !== undefined && values.KeyMaterialId !== id) throw wrongMaterial(key);
      const sealed = call.material.sealSecret(key, id, secret);
      call.applyAll(
        importChanges(call, key, values.ImportType, {
          id,
          createdAt: call.now,
          sealed,
          publicKey,
          state: "current",
          rotation: null,
          imported,
        }),
      );
      return { KeyId: key.arn, KeyMaterialId: id };
    } finally {
      secret.fill(0);
    }
  },
});

const wrongMaterial = (key: KeyRecord): AwsError =>
  new AwsError(
    "IncorrectKeyMaterialException",
    `The key material in the request is not the key material that was imported into ${key.arn} before.`,
  );

function validTo(call: Call, values: Input): number | null {
  if (values.ExpirationModel === "KEY_MATERIAL_DOES_NOT_EXPIRE") {
    if (values.ValidTo !== undefined)
      throw validationError("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE");
    return null;
  }
  if (values.ValidTo === undefined)
    throw validationError("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
  if (values.ValidTo <= call.now || values.ValidTo > call.now + MAX_VALIDITY_MS)
    throw validationError("The validTo date must lie in the next 365 days.");
  return values.ValidTo;
}

function unwrap(call: Call, key: KeyRecord, values: Input): { secret: Buffer; publicKey: Buffer | null } {
  const importKey = call.region.importKeys.get(values.ImportToken.toString("hex"));
  if (importKey?.keyId !== key.keyId)
    throw new AwsError("InvalidImportTokenException", "The import token is not one for this key.");
  if (importKey.validTo <= call.now) throw new AwsError("ExpiredImportTokenException", "The import token has expired.");
  const pkcs8 = call.material.openImportKey(importKey);
  const secret = unwrapMaterial(importKey.algorithm, pkcs8, values.EncryptedKeyMaterial);
  pkcs8.fill(0);
  const recognised = secret === null ? null : recogniseSecret(key.spec, secret);
  if (recognised === null) {
    secret?.fill(0);
    throw invalidCiphertext();
  }
  return recognised;
}

/** The changes that put `made` into the key: as its first, as one it had before, or as the one it rotates to next. */
function importChanges(call: Call, key: KeyRecord, type: Input["ImportType"], made: BackingKey): readonly Change[] {
  const known = key.backingKeys.find((backing) => backing.id === made.id);
  if (currentBackingKey(key) === null) {
    if (known !== undefined || key.backingKeys.length === 0) return [put(key, [made])];
    throw wrongMaterial(key);
  }
  if (type === "NEW_KEY_MATERIAL") return importPending(call, key, made, known);
  if (known === undefined) throw wrongMaterial(key);
  return [
    put(
      key,
      key.backingKeys.map((backing) =>
        backing.id === made.id ? { ...backing, sealed: made.sealed, imported: made.imported } : backing,
      ),
    ),
  ];
}

function importPending(call: Call, key: KeyRecord, made: BackingKey, known: BackingKey | undefined): readonly Change[] {
  if (key.spec !== "SYMMETRIC_DEFAULT")
    throw unsupported(`${key.arn} key spec is ${key.spec}, which has one key material for life.`);
  const pending = key.backingKeys.find((backing) => backing.state === "pending");
  if (pending !== undefined && pending.id !== made.id) {
    throw invalidState(
      `New key material (id: ${made.id}) cannot be imported into KMS key ${key.arn}, ` +
        `because another key material (id: ${pending.id}) is pending rotation.`,
    );
  }
  if (known !== undefined && known !== pending) throw wrongMaterial(key);
  const waiting: BackingKey = { ...made, state: "pending" };
  // Replicas must be given the same material before the key can rotate to it.
  const others = call.access
    .relatedKeys(key)
    .filter((other) => other.region !== key.region && !other.backingKeys.some((backing) => backing.id === made.id))
    .map((other) => put(other, [...other.backingKeys, { ...waiting, sealed: null }]));
  return [put(key, [...key.backingKeys.filter((backing) => backing !== pending), waiting]), ...others];
}

const put = (key: KeyRecord, backingKeys: readonly BackingKey[]): Change => ({
  kind: "put-key",
  key: { ...key, backingKeys },
});
