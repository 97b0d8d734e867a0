/**
 * What can go wrong with what a caller may do: these rows of the vault's table of errors (errors.ts).
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link ROLES_ERRORS}. */
export type RolesErrorCode = "not-permitted" | "field-forbidden" | "fields-invalid" | "value-masked";

/** Code -> what it stands for. */
export const ROLES_ERRORS: ErrorTable<RolesErrorCode> = {
  "not-permitted": {
    title: "The caller's roles do not allow this",
    remedy:
      "Nothing was looked up, stored or released. `strongroom policy test` says which rule decides; a role that is " +
      "to allow it is declared in `roles`.",
    outcome: "not-allowed",
    status: 403,
  },
  "field-forbidden": {
    title: "The caller's roles do not reach this field",
    remedy:
      "Nothing was stored or released. Leave the field out, or grant it in `roles`: to read, to write, or, of a " +
      "unique field, to find.",
    outcome: "not-allowed",
    status: 403,
  },
  "fields-invalid": {
    title: "That is no list of fields",
    remedy: "Name 1 to 64 fields by their paths, `name,address.postcode`, each once.",
    outcome: "usage",
    status: 400,
  },
  "value-masked": {
    title: "What is shown in the place of a value is not a value",
    remedy: "Nothing was stored. Leave masked fields out of what is written, or send a new value.",
    outcome: "usage",
    status: 422,
  },
};
