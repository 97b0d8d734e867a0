/**
 * What can go wrong with what records are found by: these rows of the vault's table of errors (errors.ts).
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link SEARCH_ERRORS}. */
export type SearchErrorCode = "value-taken" | "find-invalid" | "index-not-ready" | "index-unknown";

/** Code -> what it stands for. */
export const SEARCH_ERRORS: ErrorTable<SearchErrorCode> = {
  "value-taken": {
    title: "Another record has that value, and the collection declares it unique",
    remedy: "Nothing was stored. Look for the record that has it, or write another value.",
    outcome: "conflict",
    status: 409,
  },
  "find-invalid": {
    title: "That cannot be looked for",
    remedy:
      "Name fields that the collection declares with `find`, each with a value, or with a prefix or a range where " +
      "one is declared.",
    outcome: "usage",
    status: 400,
  },
  "index-not-ready": {
    title: "The index is not built yet",
    remedy: "Ask strongroom collection plan what is missing; strongroom collection apply builds it.",
    outcome: "refused",
    status: 409,
  },
  "index-unknown": {
    title: "Records of the collection are found by an index that this process does not declare",
    remedy:
      "Nothing was stored: it could not be found by it. If this process declares what is to be from now on, bring " +
      "the indexes to it with strongroom collection apply (also after a normaliser of another version): until then " +
      "it writes nothing to the collection, and afterwards those of before do not. Else give it their declaration.",
    outcome: "refused",
    status: 503,
  },
};
