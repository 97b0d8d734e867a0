// Where the ids of imported records come from: a field that holds one, a keyed hash of fields that tell people apart,
// or chance. An id is stored in clear, so that an address or a name in it is one leak away from being known; and an
// unkeyed hash of an address is as good as the address for whoever can guess it (BSI TR-03107, GDPR Art. 4(5)).
import { createHmac, type KeyObject, randomBytes } from "node:crypto";
import { type Document, fieldText, type FieldText } from "../formats/document.ts";
import type { NamedField } from "../formats/missing-field.ts";
import type { IdsFile } from "./ids-file.ts";

/** What the person chose. */
export type IdChoice =
  | { readonly kind: "field"; readonly field: string }
  /** A keyed hash of these fields: a second import of the same people finds the same ids. */
  | { readonly kind: "derived"; readonly fields: string }
  /** Random; the file remembers which record got which. */
  | { readonly kind: "new"; readonly idsFile: string };

/** Gives each document its id, or says why it has none. */
export interface IdSource {
  of(document: Document, line: number): FieldText;
  /** Resolves when every id given so far will be found again after a crash. Called before records are sent. */
  keep(): Promise<void>;
  close(): Promise<void>;
}

const NOTHING_TO_KEEP = { keep: async (): Promise<void> => undefined, close: async (): Promise<void> => undefined };

/** Ids that a field of the document holds. */
export function idsFromField({ field }: Pick<NamedField, "field">): IdSource {
  return {
    ...NOTHING_TO_KEEP,
    of: (document) => {
      const found = fieldText(document, field);
      return found.kind === "text" ? found : { kind: "problem", reason: `the id field ${found.reason}` };
    },
  };
}

/** Hexadecimal digits of an id that is made here: 128 bits, of which two never meet. */
const ID_DIGITS = 32;

/**
 * HMAC-SHA-256 of one or more fields (RFC 2104), each in the form of {@link comparable}. The fields' names are not part
 * of it: `email` of one file and `mail` of another lead to the same person.
 */
export function derivedIds(fields: readonly Pick<NamedField, "field" | "text">[], key: KeyObject): IdSource {
  return {
    ...NOTHING_TO_KEEP,
    of: (document) => {
      const texts: string[] = [];
      for (const { text: name, field } of fields) {
        const found = fieldText(document, field);
        const text = found.kind === "text" ? comparable(found.text) : "";
        if (text === "")
          return {
            kind: "problem",
            reason: `the field ${name} ${found.kind === "text" ? "is empty" : found.reason}, so that no id can be made`,
          };
        texts.push(text);
      }
      // As JSON, so that "ab" and "c" are not "a" and "bc".
      return { kind: "text", text: keyedHash(key, "strongroom/id/1", JSON.stringify(texts)) };
    },
  };
}

/** Random ids. A document that the file of ids knows gets the id that it has there. */
export function newIds(file: IdsFile, key: KeyObject): IdSource {
  return {
    of: (document, line) => {
      // Keyed as well: the file lies about, and whoever finds it must not be able to try people's data against it.
      const fingerprint = keyedHash(key, "strongroom/fingerprint/1", JSON.stringify(document));
      const known = file.take(fingerprint);
      if (known !== null) return { kind: "text", text: known };
      const id = randomBytes(ID_DIGITS / 2).toString("hex");
      file.add({ line, id, fingerprint });
      return { kind: "text", text: id };
    },
    keep: () => file.flush(),
    close: () => file.close(),
  };
}

/**
 * The form in which two spellings of one value are equal: Unicode's compatibility form (NFKC), small letters, without
 * characters that do not show, any white space as one blank and none at the ends. Nothing else: `+49 30` and `0049 30`
 * stay two.
 */
export function comparable(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/(?!\s)\p{Cf}/gu, "")
    .normalize("NFKC")
    .replace(/\s+/gu, " ")
    .trim();
}

function keyedHash(key: KeyObject, purpose: string, text: string): string {
  return createHmac("sha256", key).update(`${purpose}\0`).update(text).digest("hex").slice(0, ID_DIGITS);
}
