/**
 * Short texts that lie sealed in a row: people's names, and ids of collections whose ids are personal. Each says under
 * whose key it is, and is bound to its place.
 *
 * format 1 | owner kind 1 | owner id 16 | key version 16 | salt 16 | IV 12 | ciphertext | tag 16
 */
import { DERIVED_SEALING_OVERHEAD, openUnder, sealUnder } from "@strongroom/envelope/keyrings";
import type { DerivedSealing, SecretBytes } from "@strongroom/envelope/keyrings";
import type { KeyName } from "../stores/key-store.ts";
import { VAULT_OWNER } from "./key-binding.ts";
import { lp } from "./length-prefixed.ts";
import type { Part } from "./length-prefixed.ts";

const FORMAT = 1;
const LABEL = "strongroom-text";
const OWNER_START = 2;
const VERSION_START = 18;
const TEXT_START = 34;
const NOBODY = Buffer.alloc(16);
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** In the order of their numbers. */
const OWNER_KINDS = ["person", "collection", "vault"] as const;

/** Whose key seals a text. */
export type TextOwner =
  /** By the opaque id. */
  | { readonly kind: "person"; readonly owner: string }
  | { readonly kind: "collection"; readonly owner: string }
  /** The vault's names key. */
  | { readonly kind: "vault"; readonly owner: typeof VAULT_OWNER };

/** What a text is, and where it lies. */
export interface TextPlace {
  readonly label: "strongroom/name/1" | "strongroom/sealed-id/1";
  readonly vault: string;
  readonly place: readonly Part[];
}

/** A key that is at hand. */
export interface TextKey {
  readonly version: string;
  readonly key: SecretBytes;
}

/** What a sealed text says of itself; nothing of it is authentic before it is opened. */
export interface TextHeader {
  readonly kind: TextOwner["kind"];
  /** Of a person's. */
  readonly ownerId: string | null;
  readonly version: string;
}

export function ownerOfKey({ kind, owner }: KeyName): TextOwner {
  if (kind === "collection") return { kind, owner };
  return kind === "names" ? { kind: "vault", owner: VAULT_OWNER } : { kind: "person", owner };
}

export function sealText(text: string, owner: TextOwner, { version, key }: TextKey, place: TextPlace): Buffer {
  const head = Buffer.alloc(TEXT_START);
  head[0] = FORMAT;
  head[1] = OWNER_KINDS.indexOf(owner.kind);
  if (owner.kind === "person") uuidBytes(owner.owner).copy(head, OWNER_START);
  uuidBytes(version).copy(head, VERSION_START);
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([head, sealUnder(bytes, sealing(owner, { version, key }, place))]);
}

/** null: it is no sealed text. */
export function textHeader(sealed: Uint8Array): TextHeader | null {
  if (sealed.length < TEXT_START + DERIVED_SEALING_OVERHEAD || sealed[0] !== FORMAT) return null;
  const kind = OWNER_KINDS[sealed[1] ?? -1];
  if (kind === undefined) return null;
  const id = Buffer.from(sealed.subarray(OWNER_START, VERSION_START));
  if (kind !== "person" && !id.equals(NOBODY)) return null;
  return {
    kind,
    ownerId: kind === "person" ? uuidText(id) : null,
    version: uuidText(Buffer.from(sealed.subarray(VERSION_START, TEXT_START))),
  };
}

/** null: it does not open, or to what is no text. */
export function openText(sealed: Uint8Array, owner: TextOwner, key: TextKey, place: TextPlace): string | null {
  using opened = openUnder(sealed.subarray(TEXT_START), sealing(owner, key, place));
  if (opened === null) return null;
  try {
    return UTF8.decode(opened.bytes);
  } catch {
    return null;
  }
}

function sealing(owner: TextOwner, { version, key }: TextKey, { label, vault, place }: TextPlace): DerivedSealing {
  const kind = OWNER_KINDS.indexOf(owner.kind);
  return { label: LABEL, key, aad: lp([label, vault, ...place, kind, owner.owner, version]) };
}

function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

function uuidText(bytes: Buffer): string {
  const digits = bytes.toString("hex");
  const parts = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)];
  return parts.join("-");
}
