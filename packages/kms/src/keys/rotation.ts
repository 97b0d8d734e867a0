// Rotation: a new backing key becomes the current one, the former ones stay to decrypt what they encrypted. All
// regions of a multi-Region key rotate together, to the same material.
// Source: AWS KMS Developer Guide, "Rotate AWS KMS keys".

import { randomBytes } from "node:crypto";
import { materialIdOf } from "../crypto/backing-secret.ts";
import { unsupported } from "../protocol/aws-error.ts";
import type { Change } from "../store/region-data.ts";
import type { KeyMaterial } from "./key-material.ts";
import type { BackingKey, KeyRecord } from "./key-record.ts";
import { requireOrigin } from "./key-rules.ts";

type Rotation = NonNullable<BackingKey["rotation"]>;

/** Gives a symmetric key new material in all its regions. `related` are the key's records, at least one. */
export function rotateWithNewMaterial(
  related: readonly KeyRecord[],
  rotation: Rotation,
  material: KeyMaterial,
): readonly Change[] {
  const secret = randomBytes(32);
  const id = materialIdOf(related[0]?.keyId ?? "", secret);
  const changes = related.map((key): Change => {
    const made: BackingKey = {
      id,
      createdAt: rotation.at,
      sealed: material.sealSecret(key, id, secret),
      publicKey: null,
      state: "current",
      rotation,
      imported: null,
    };
    return { kind: "put-key", key: { ...key, backingKeys: [...retire(key.backingKeys), made] } };
  });
  secret.fill(0);
  return changes;
}

/** Puts the pending imported material in force, in all regions; null if there is none, or not everywhere. */
export function rotateImported(related: readonly KeyRecord[], rotation: Rotation): readonly Change[] | null {
  const pending = related[0]?.backingKeys.find((backing) => backing.state === "pending");
  const everywhere =
    pending !== undefined &&
    related.every((key) => key.backingKeys.some((backing) => backing.id === pending.id && backing.sealed !== null));
  if (!everywhere) return null;
  return related.map((key): Change => {
    const backingKeys = retire(key.backingKeys).map((backing): BackingKey =>
      backing.id === pending.id ? { ...backing, state: "current", rotation } : backing,
    );
    return { kind: "put-key", key: { ...key, backingKeys } };
  });
}

const retire = (backingKeys: readonly BackingKey[]): readonly BackingKey[] =>
  backingKeys.map((backing) => (backing.state === "current" ? { ...backing, state: "former" } : backing));

/** @throws AwsError UnsupportedOperationException unless the key is a symmetric encryption key. */
export function requireRotatableSpec(key: KeyRecord): void {
  if (key.spec !== "SYMMETRIC_DEFAULT") throw unsupported();
}

/**
 * @throws AwsError UnsupportedOperationException unless the key is a symmetric encryption key, and the primary of its
 *   kind.
 */
export function requireRotatable(key: KeyRecord): void {
  requireRotatableSpec(key);
  if (key.primaryRegion !== null && key.primaryRegion !== key.region)
    throw unsupported(`${key.arn} is not a multi-region primary key.`);
}

/** As `requireRotatable`, and that the server can make the new material itself. @throws AwsError likewise. */
export function requireAutomaticRotation(key: KeyRecord): void {
  requireRotatable(key);
  requireOrigin(key, "AWS_KMS");
}
