/**
 * A transaction of the application's own, with the vault's writes in it: begun, committed or rolled back, and its
 * connection given back, in the one order that holds no connection while keys are asked for.
 */
import type { PreparedWrite } from "./records/prepared.ts";
import type { ActingVault } from "./vault.ts";

/** Connections of an application: `pg.Pool`, or what has this member. */
export interface TransactionPool<Client extends TransactionClient = TransactionClient> {
  connect(): Promise<Client>;
}

/** A connection that goes back to its pool. */
export interface TransactionClient {
  query(sql: string, values?: unknown[]): Promise<unknown>;
  release(destroy?: Error | boolean): void;
}

/** Writes that are being prepared. */
export type PreparedBefore = readonly Promise<PreparedWrite>[];

/** @throws what `prepare` and `work` throw; VaultError as `vault.withTransaction` does */
export async function inTransaction<Client extends TransactionClient, Result>(
  vault: ActingVault,
  pool: TransactionPool<Client>,
  given: { readonly prepare: () => PreparedBefore; readonly work: (client: Client) => Promise<Result> },
): Promise<Result> {
  const prepared = await Promise.all(given.prepare());
  const client = await pool.connect();
  let isBroken = false;
  try {
    try {
      await client.query("begin isolation level read committed");
      const result = await given.work(client);
      await vault.withTransaction(client, prepared);
      await client.query("commit");
      return result;
    } catch (error) {
      // A connection on which not even that is possible is of no use to the next caller.
      await client.query("rollback").catch(() => {
        isBroken = true;
      });
      throw error;
    }
  } finally {
    client.release(isBroken);
  }
}
