// ListKeyRotations: KMS API Reference, API_ListKeyRotations.

import { pageOf } from "../calls/answers.ts";
import * as members from "../calls/members.ts";
import { operation } from "../calls/operation.ts";
import type { Operation } from "../calls/operation.ts";
import type { BackingKey, KeyRecord } from "../keys/key-record.ts";
import { requireRotatableSpec } from "../keys/rotation.ts";
import { seconds } from "../protocol/exchange.ts";
import { oneOf, required, structure } from "../protocol/shape.ts";
import type { Json } from "../protocol/shape.ts";

const STATES = { current: "CURRENT", former: "NON_CURRENT", pending: "PENDING_ROTATION" } as const;

export const listKeyRotations: Operation = operation({
  name: "ListKeyRotations",
  effect: "reads",
  input: structure({
    KeyId: required(members.keyId),
    IncludeKeyMaterial: oneOf(["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"]),
    Limit: members.limit,
    Marker: members.marker,
  }),
  run(call, { KeyId, IncludeKeyMaterial = "ROTATIONS_ONLY", Limit = 100, Marker }) {
    const key = call.access.useKeyById(KeyId, { operation: "ListKeyRotations" });
    requireRotatableSpec(key);
    // The order of rotation; the index as the page's id keeps it.
    const numbered = key.backingKeys.map((backing, index) => ({ backing, id: String(index).padStart(6, "0") }));
    const wanted = numbered.filter(
      ({ backing }) => IncludeKeyMaterial === "ALL_KEY_MATERIAL" || backing.rotation !== null,
    );
    const { items, ...page } = pageOf(wanted, ({ id }) => id, Limit, Marker);
    const shown = items.map(({ backing }) => {
      const everywhere = call.access
        .relatedKeys(key)
        .every((record) => record.backingKeys.some(({ id, sealed }) => id === backing.id && sealed !== null));
      const state =
        backing.state === "pending" && !everywhere ? "PENDING_MULTI_REGION_IMPORT_AND_ROTATION" : STATES[backing.state];
      return entry(key, backing, IncludeKeyMaterial === "ALL_KEY_MATERIAL" ? state : null);
    });
    return { Rotations: shown, ...page };
  },
});

function entry(key: KeyRecord, backing: BackingKey, state: string | null): Json {
  const { imported, rotation } = backing;
  return {
    KeyId: key.arn,
    KeyMaterialId: backing.id,
    ...(rotation !== null && { RotationDate: seconds(rotation.at), RotationType: rotation.kind }),
    ...(state !== null && { KeyMaterialState: state }),
    ...(imported !== null && {
      ImportState: backing.sealed === null ? "PENDING_IMPORT" : "IMPORTED",
      ExpirationModel: imported.validTo === null ? "KEY_MATERIAL_DOES_NOT_EXPIRE" : "KEY_MATERIAL_EXPIRES",
      ...(imported.validTo !== null && { ValidTo: seconds(imported.validTo) }),
      ...(imported.description !== null && { KeyMaterialDescription: imported.description }),
    }),
  };
}
