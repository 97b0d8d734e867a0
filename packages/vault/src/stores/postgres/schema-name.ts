/**
 * The name of the schema that a store has for itself, which goes into statements as it is.
 */
import { VaultError } from "../../errors.ts";

declare const brand: unique symbol;

/** A schema's name, quoted as SQL wants it. Made by {@link parseSchema} alone. */
export type SchemaName = string & { readonly [brand]: "schema" };

/** The schema of a store that was opened without another. */
export const DEFAULT_SCHEMA = "strongroom";

/** The schema of a key store that was opened without another. */
export const DEFAULT_KEY_SCHEMA = "strongroom_keys";

/** The schema of an audit log that was opened without another. */
export const DEFAULT_AUDIT_SCHEMA = "strongroom_audit";

const SCHEMA = /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/;

/** @throws VaultError `vault-option-invalid` */
export function parseSchema(name: unknown): SchemaName {
  if (typeof name === "string" && SCHEMA.test(name)) return `"${name}"` as SchemaName;
  throw new VaultError(
    "vault-option-invalid",
    "schema must be a lower-case letter or '_', then up to 62 of those or digits, and not begin with pg_",
  );
}
