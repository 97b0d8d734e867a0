/**
 * Units within a transaction that the caller began and ends. Nothing of the caller's session is changed, nothing waits
 * for the pool (a caller that holds its last connection would wait for ever), and no conflict ends the transaction.
 */
import { shown } from "@strongroom/base/shown";
import { VaultError } from "../../errors.ts";
import type { CallerTransaction } from "../store.ts";
import type { Unit, UnitResult } from "../units.ts";
import type { ChangeContext, Send } from "./apply.ts";
import { sendParts } from "./apply.ts";
import { isTrue, text } from "./columns.ts";
import type { Columns } from "./columns.ts";
import { AS_TEXT, statement } from "./connection.ts";
import type { PostgresClient, Statement } from "./connection.ts";
import { isContention, sqlState, storeFailure } from "./errors.ts";
import { gateState } from "./gate.ts";
import { requireUnits, statementsOf } from "./units.ts";

/** At each of these the gate is held: in a snapshot by its row, else by a lock. */
const ISOLATIONS: readonly string[] = ["read committed", "read uncommitted", "repeatable read", "serializable"];

/**
 * @throws VaultError `transaction-refused` for what is no client of this vault's database within a transaction
 */
export async function callerTransaction(client: unknown, context: ChangeContext): Promise<CallerTransaction> {
  if (!isClient(client)) throw refused("What was given is no client of a database");
  const query = queryOf(client);
  const { schema, statements, vault, capabilities } = context;
  // Only within a transaction a table can be locked; this lock is what reading the table takes.
  await query(statement(`lock table ${schema}.vault in access share mode`), []);
  const [row] = await query(
    statement(`
      select g.id, g.peer, g.epoch, g.digest, g.min_reader, g.min_writer, pg_is_in_recovery() as standby,
        current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as read_only,
        current_setting('client_encoding') as encoding
      from ${schema}.vault g`),
    [],
  );
  if (isTrue(row?.["standby"]) || row?.["read_only"] === "on") throw refused("The caller's transaction is read-only");
  const isolation = text(row?.["isolation"]) ?? "";
  if (!ISOLATIONS.includes(isolation))
    throw refused(`At the isolation level "${shown(isolation)}" the gate cannot be held`);
  if (row?.["encoding"] !== "UTF8") throw refused("The client's encoding is not UTF8");
  if (gateState(row).vault !== vault) throw refused("The client is one of another vault's database");
  return {
    async apply(units) {
      requireUnits(units, capabilities, true);
      const parts = statementsOf(units);
      const results = new Map<Unit, UnitResult>();
      if (parts.length > 1) await query(SAVEPOINT, []);
      const sending = { apply: query, intern: query, results };
      const isMade = await sendParts(statements, { units, parts }, { vault, lockTimeoutMs: 0 }, sending);
      if (!isMade && parts.length > 1) await query(BACK, []);
      if (parts.length > 1) await query(RELEASE, []);
      return units.map((unit) => results.get(unit) ?? { kind: "not-made" });
    },
  };
}

const SAVEPOINT = { text: "savepoint strongroom_units", name: "" };
const BACK = { text: "rollback to savepoint strongroom_units", name: "" };
const RELEASE = { text: "release savepoint strongroom_units", name: "" };

const refused = (message: string): VaultError => new VaultError("transaction-refused", message);

function isClient(client: unknown): client is PostgresClient {
  return typeof client === "object" && client !== null && "query" in client && typeof client.query === "function";
}

/** Unnamed always: a session without the statement could not be tried again, its transaction would have failed. */
function queryOf(client: PostgresClient): Send {
  return async ({ text: sql }: Statement, values) => {
    try {
      const { rows } = await client.query({ text: sql, values: [...values], types: AS_TEXT });
      return rows as readonly Columns[];
    } catch (error) {
      // The caller knows what to do with these: his transaction is to be done again.
      if (isContention(error)) throw error;
      if (sqlState(error) === "25P01") throw refused("The client is in no transaction");
      throw storeFailure(error);
    }
  };
}
