/**
 * People as a key store is given them.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Epoch } from "../../../src/stores/gate.ts";
import type { Creation, KeyVersion } from "../../../src/stores/key-store.ts";
import type { SubjectId } from "../../../src/stores/subjects.ts";

export const AT = "2026-01-01T00:00:00.000Z";
const WRAP_SET = { wraps: [{ provider: "aws-kms", key: "arn:1", material: null }], target: 1, missing: [] };

type Person = Creation & { readonly name: NonNullable<Creation["name"]>; readonly key: NonNullable<Creation["key"]> };

/** A newcomer with a name and a key, at the epoch before any. */
export function newPerson(): Person {
  const id = randomUUID() as string as SubjectId;
  const wraps = [{ provider: "aws-kms", info: Buffer.from("arn:1"), ciphertext: randomBytes(180) }];
  const made = { ordinal: 1, generation: 0, createdAt: AT, check: randomBytes(32), wraps, wrapSet: WRAP_SET };
  const key = { kind: "subject", owner: id, version: randomUUID() as string as KeyVersion, ...made } as const;
  return { epoch: 0 as Epoch, name: { id, tag: randomBytes(32), sealed: randomBytes(40) }, key };
}
