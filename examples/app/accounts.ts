// The application's own table of users: an id, a session, a plan. Nothing of a person is in it.
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Customer, CustomerVault } from "./vault.ts";
import type pg from "pg";

/** A new user. */
export interface NewUser {
  readonly id: string;
  readonly session: string;
  readonly plan: string;
}

/** Users, and what is stored about each in the vault. */
export interface Accounts {
  /** A row of the application and a record of the vault: both, or neither. */
  add(user: NewUser, customer: Customer): Promise<void>;
  /** Whose session it is; null: nobody's. */
  userOf(session: string): Promise<string | null>;
  remove(id: string): Promise<void>;
}

/** A session is as good as a password: the database has its hash. */
const hashOf = (session: string): string => createHash("sha256").update(session).digest("hex");

/** Of the table in PostgreSQL. */
export const USERS_TABLE = `create table if not exists users (
  id text primary key, session text not null unique, plan text not null check (plan in ('free', 'paid')))`;

/** In the application's PostgreSQL database, in which the vault's records lie too: one transaction for both. */
export function postgresAccounts(pool: pg.Pool, vault: CustomerVault): Accounts {
  return {
    add: ({ id, session, plan }, customer) =>
      vault.transaction(
        pool,
        () => [vault.records.customers.prepare(id, customer, { subject: id, expect: { kind: "absent" } })],
        async (client: pg.PoolClient) => {
          const row = [id, hashOf(session), plan];
          await client.query("insert into public.users (id, session, plan) values ($1, $2, $3)", row);
        },
      ),
    userOf: async (session) => {
      const { rows } = await pool.query<{ id: string }>("select id from public.users where session = $1", [
        hashOf(session),
      ]);
      return rows[0]?.id ?? null;
    },
    remove: async (id) => {
      await pool.query("delete from public.users where id = $1", [id]);
    },
  };
}

/** In a SQLite file of the application's own: the record first, which is the one that can be refused. */
export function sqliteAccounts(database: DatabaseSync, vault: CustomerVault): Accounts {
  database.exec(USERS_TABLE);
  return {
    add: async ({ id, session, plan }, customer) => {
      await vault.records.customers.put(id, customer, { subject: id, expect: { kind: "absent" } });
      try {
        database.prepare("insert into users (id, session, plan) values (?, ?, ?)").run(id, hashOf(session), plan);
      } catch (error) {
        await vault.records.customers.remove(id);
        throw error;
      }
    },
    userOf: async (session) => {
      const row = database.prepare("select id from users where session = ?").get(hashOf(session));
      return row === undefined ? null : String(row["id"]);
    },
    remove: async (id) => {
      database.prepare("delete from users where id = ?").run(id);
    },
  };
}
