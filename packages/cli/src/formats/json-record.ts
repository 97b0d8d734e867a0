// One record of JSON text, held to more than JSON.parse does: exact numbers and UTF-8 (the vault's parser), no name
// twice in one object, no deeper than a vault takes. No reason quotes the record.
import { jsonFault } from "@strongroom/base/json";
import { printable } from "@strongroom/base/terminal";
import { DEFAULT_VAULT_LIMITS, isVaultError, parseJson } from "@strongroom/vault";
import { type Document, isDocument } from "./document.ts";
import { inexactNumberField } from "./inexact-number.ts";

/** A value, or why there is none. */
export type JsonValueRead =
  { readonly kind: "value"; readonly value: unknown } | { readonly kind: "bad"; readonly reason: string };

/** A record, or why it is none. */
export type JsonRecord =
  { readonly kind: "document"; readonly document: Document } | { readonly kind: "bad"; readonly reason: string };

const DEPTH = DEFAULT_VAULT_LIMITS.documentDepth;

/** Parses a record. */
export function readJsonRecord(bytes: Uint8Array): JsonRecord {
  const read = readJsonValue(bytes);
  if (read.kind === "bad") return read;
  return isDocument(read.value)
    ? { kind: "document", document: read.value }
    : { kind: "bad", reason: "not a JSON object" };
}

/** Parses any JSON text. */
export function readJsonValue(bytes: Uint8Array): JsonValueRead {
  const fault = jsonFault(bytes, { depth: DEPTH });
  if (fault !== null) {
    const what =
      fault.kind === "too-deep" ? `nested deeper than ${DEPTH} levels` : "the same name is in one object twice";
    return { kind: "bad", reason: `${what}, at ${placeOf(bytes, fault.offset)}` };
  }
  try {
    return { kind: "value", value: parseJson(bytes) };
  } catch (error) {
    // The vault's parser never quotes its input.
    const reason = isVaultError(error) ? error.message : "not JSON";
    const field = reason.includes("number") ? inexactNumberField(new TextDecoder().decode(bytes)) : null;
    return { kind: "bad", reason: field === null ? reason : `${reason}: ${printable(field, 80)}` };
  }
}

/** "character 24" of a record on one line, "line 3, character 8" of one on several. */
function placeOf(bytes: Uint8Array, offset: number): string {
  const before = new TextDecoder().decode(bytes.subarray(0, offset)).split("\n");
  const character = `character ${(before.at(-1) ?? "").length + 1}`;
  return before.length === 1 ? character : `its line ${before.length}, ${character}`;
}
