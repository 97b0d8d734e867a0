// The keys that requests are about: multi-Region ones with an alias and a tag, so that conditions on any property of a
// key have something to see.

import { randomBytes } from "node:crypto";
import type { Bench } from "../behaviours/behaviour.ts";
import type { KeyProperties } from "./world.ts";

/** The tag of every key. */
export const TAG = { TagKey: "team", TagValue: "a" } as const;

export const newAlias = (): string => `alias/new-${randomBytes(6).toString("hex")}`;

/** Kinds of key that requests are about. */
const KINDS = {
  symmetric: {},
  external: { Origin: "EXTERNAL" },
  rsa: { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" },
  signing: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
  mac: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
  agreement: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
  encapsulation: { KeySpec: "ML_KEM_512", KeyUsage: "ENCAPSULATE_DECAPSULATE" },
} as const;
export type Kind = keyof typeof KINDS;

/** A key of its own. */
export async function freshKey(b: Bench, kind: Kind = "symmetric"): Promise<KeyProperties> {
  const made = await b.key({ ...KINDS[kind], MultiRegion: true, Tags: [TAG] });
  const alias = newAlias();
  await b.ok("CreateAlias", { AliasName: alias, TargetKeyId: made["KeyId"] });
  const { Arn: arn, KeyId: keyId, KeySpec: spec, KeyUsage: usage, Origin: origin } = made as Record<string, string>;
  return { arn, keyId, alias, spec, usage, origin } as KeyProperties;
}

const shared = new WeakMap<Bench, Map<string, Promise<KeyProperties>>>();

/** A key for requests that leave it as it is. */
export function sharedKey(b: Bench, kind: Kind = "symmetric", number = 1): Promise<KeyProperties> {
  const keys = shared.get(b) ?? new Map<string, Promise<KeyProperties>>();
  shared.set(b, keys);
  const name = `${kind} ${number}`;
  const key = keys.get(name) ?? freshKey(b, kind);
  keys.set(name, key);
  return key;
}
