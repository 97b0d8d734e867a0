/**
 * The same in three schemas of a PostgreSQL database: rows changed, and what a schema holds put back to a copy of before.
 */
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { postgresAuditLog, postgresKeyStore, postgresStore } from "@strongroom/vault/postgres";
import pg from "pg";
import { aesKeyring } from "../../../packages/vault/test/support/vault.ts";
import { defer } from "../defer.ts";
import { startPostgres } from "../postgres/server.ts";
import { postgresHand } from "../swaps/postgres-hand.ts";

import type { When } from "./moments.ts";
import type { SetBackDomain } from "./set-back.ts";
import { closeAll, holdSequencer, putBack, vaultOver } from "./site.ts";
import type { Hands, Stores, VaultMaker } from "./site.ts";
import { doStep } from "./world.ts";

const SCHEMAS = { records: "strongroom", keys: "strongroom_keys", audit: "strongroom_audit" } as const;

/** The stores, opened once, with hands that saw them at each moment. */
export interface PostgresMoments extends Readonly<Record<When | "first" | "before", Hands>> {
  readonly stores: Stores;
  readonly make: VaultMaker;
  readonly key: string;
}

/** Writes the vault, under one key in memory. */
export async function postgresMoments(t: TestContext): Promise<PostgresMoments> {
  const { url } = await startPostgres(t);
  const options = { migrate: true, endPool: true };
  const poolOf = (): pg.Pool => new pg.Pool({ connectionString: url, max: 4 });
  const store = await postgresStore(poolOf(), options);
  const keyStore = await postgresKeyStore(poolOf(), options);
  const log = await postgresAuditLog(poolOf(), options);
  for (const one of [store, keyStore, log]) defer(t, () => one.close());
  // Closed with the test: one vault after the other is opened over them.
  const stores = { store, keyStore, log, close: async () => undefined };
  const make = { keyring: aesKeyring() };
  const look = async (name: string): Promise<Hands> => {
    const hand = (schema: string) => postgresHand(url, schema, `at_${name}`);
    const hands = {
      records: await hand(SCHEMAS.records),
      keys: await hand(SCHEMAS.keys),
      audit: await hand(SCHEMAS.audit),
    };
    defer(t, () => closeAll(hands));
    return hands;
  };
  const step = async (done: 1 | 2): Promise<Hands> => {
    const release = await holdSequencer(log);
    const { vault } = await vaultOver(stores, make);
    await doStep(vault, done);
    await vault.close();
    await release();
    return look(`step_${done}`);
  };
  const carry = async (name: string): Promise<Hands> => {
    const { vault } = await vaultOver(stores, make);
    await vault.audit!.sequence();
    while (!(await vault.audit!.status()).adopted) await delay(20);
    await vault.close();
    return look(name);
  };
  const first = await step(1);
  const before = await carry("before");
  const waiting = await step(2);
  const carried = await carry("carried");
  const { vault } = await vaultOver(stores, make);
  const { key } = await vault.audit!.status();
  await vault.close();
  await putBack(carried);
  return { stores, make, key, first, before, waiting, carried };
}

/** Schemas put back: `carried` is the newest, `before` the copy of before. */
export async function schemasSetBack({ stores, make, before, carried }: PostgresMoments): Promise<SetBackDomain> {
  await putBack(carried);
  const { checkpoint } = await stores.log.state();
  return {
    make,
    newest: checkpoint ?? "",
    begin: async (atRest) => {
      await putBack(carried);
      for (const place of atRest) await before[place].restore();
      return {
        stores,
        setBack: async (places) => {
          for (const place of places) await before[place].restore();
        },
      };
    },
  };
}
