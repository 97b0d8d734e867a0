/**
 * What a caller who sees or writes a part of a document makes of it: what is given over what is stored. What is left
 * out stays; what comes back as it was shown, masked or not, stays too.
 */
import { isDeepStrictEqual } from "node:util";
import { VaultError } from "../errors.ts";
import { HIDDEN, masked } from "../masks/masks.ts";
import { isObject } from "../records/document.ts";
import type { JsonObject, JsonValue } from "../records/document.ts";
import { HASH_FORM } from "./hash-mask.ts";
import { isList, project } from "./project.ts";
import type { HashMask } from "./project.ts";
import type { MaskedField, View, ViewNode } from "./view.ts";

/** By what a part is written. */
export interface PartWriter {
  readonly view: View;
  readonly writes: (path: string) => boolean;
  readonly writesIn: (path: string) => boolean;
  readonly hash: HashMask;
}

/**
 * The document that is stored then.
 *
 * @param stored {} where there is none
 * @throws VaultError `field-forbidden`, `value-masked`. Neither says anything of what is stored and not shown.
 */
export function merged(stored: JsonObject, given: JsonObject, writer: PartWriter): JsonObject {
  const { view } = writer;
  const node: ViewNode | undefined =
    view.kind === "part" ? view : view.kind === "whole" ? { kind: "clear" } : undefined;
  return mergedObject({ stored, given, shown: project(stored, view, writer.hash), node, path: "" }, writer);
}

/** One object of the document, as it is stored, given and shown. */
interface Level {
  readonly stored: JsonObject;
  readonly given: JsonObject;
  readonly shown: JsonObject;
  /** Undefined: nothing of it is seen. */
  readonly node: ViewNode | undefined;
  readonly path: string;
}

function mergedObject({ stored, given, shown, node, path }: Level, writer: PartWriter): JsonObject {
  const members = new Map(Object.entries(stored));
  for (const [name, value] of Object.entries(given)) {
    const at = path === "" ? name : `${path}.${name}`;
    const seen = node?.kind === "part" ? node.members.get(name) : node?.kind === "clear" ? node : undefined;
    const [before, said] = [own(stored, name), own(shown, name)];
    // As it was shown. Of what is not seen nothing was, and nothing can be tried.
    if (seen !== undefined && said !== undefined && isDeepStrictEqual(value, said)) continue;
    const isWritten = writer.writes(at);
    if (isObject(value) && (seen?.kind === "part" || !isWritten)) {
      // Fields of what is a list by now cannot be told from one another.
      if (!isWritten && !(writer.writesIn(at) && (before === undefined || isObject(before)))) throw forbidden();
      const inner = { stored: objectOr(before), given: value, shown: objectOr(said), node: seen, path: at };
      members.set(name, mergedObject(inner, writer));
    } else {
      if (!isWritten) throw forbidden();
      requireReal(value, seen);
      members.set(name, value);
    }
  }
  return Object.fromEntries(members);
}

/** That a value is none that stands in the place of one. @throws VaultError `value-masked` */
function requireReal(value: JsonValue, seen: ViewNode | undefined): void {
  if (seen === undefined || seen.kind === "clear") return;
  // In a list it cannot be told which member is which.
  if (seen.kind === "part" ? isList(value) : isShown(value, seen))
    throw new VaultError("value-masked", "A masked value cannot be stored");
}

function isShown(value: JsonValue, { mask }: MaskedField): boolean {
  const texts = textsOf(value);
  return texts.some((text) => text.includes(HIDDEN) || HASH_FORM.test(text) || masked(mask, text) === text);
}

function textsOf(value: JsonValue): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value as JsonObject).flatMap(textsOf) : [];
}

const own = (from: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(from, name) ? from[name] : undefined;

const objectOr = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

/** Not which: it would be a name out of the document that was sent. */
function forbidden(): VaultError {
  return new VaultError("field-forbidden", "The document has a field that the caller's roles do not let it write");
}
