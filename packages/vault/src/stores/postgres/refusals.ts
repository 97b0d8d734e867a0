/**
 * What every statement asks beside its own question: is this the vault that was opened, on the primary, and may this
 * program use it. Another process may have migrated it, a failover may have led to a standby, and whoever moves the
 * database's address moves every client. A standby's rows may be old, and a head that is old is a head set back.
 */
import { VaultError } from "../../errors.ts";
import { STORE_READER, STORE_WRITER } from "../gate.ts";
import type { Columns } from "./columns.ts";
import { text } from "./columns.ts";

/** Selected as `refusal` beside the gate's row `g`; `vault`: the parameter with the vault's id. */
export const refusalColumn = (vault: string): string => `${refusal(vault)} as refusal`;

const refusal = (vault: string): string =>
  `case when pg_is_in_recovery() then 'standby' when g.id <> ${vault} then 'replaced' ` +
  `when g.min_reader > ${STORE_READER} then 'newer' end`;

export const newerStore = (): VaultError =>
  new VaultError("store-newer", "The database was migrated by a newer version, which this one cannot follow");

const unanswered = (): VaultError =>
  new VaultError("store-altered", "The database does not say which vault it is: the table vault is empty");

/** As {@link refusalColumn}, of a statement that writes. */
export const writeRefusalColumn = (vault: string): string =>
  `case when g.min_writer > ${STORE_WRITER} then 'newer' else ${refusal(vault)} end as refusal`;

/** Refusal -> what is said of it. */
const REFUSALS: ReadonlyMap<string, () => VaultError> = new Map(
  Object.entries({
    "no-gate": unanswered,
    standby: () =>
      new VaultError("store-failed", "The server is a standby, whose rows may be old: connect to the primary"),
    replaced: () =>
      new VaultError("store-replaced", "The database is that of another vault than it was when it was opened"),
    newer: newerStore,
  }),
);

/** The first row of the answer. @throws VaultError when the answer is a refusal */
export function requireAccepted(rows: readonly Columns[], column: "refusal" | "result" = "refusal"): Columns {
  const [row] = rows;
  const refusal = REFUSALS.get(row === undefined ? "no-gate" : (text(row[column]) ?? ""));
  if (refusal !== undefined || row === undefined) throw (refusal ?? unanswered)();
  return row;
}
