/**
 * What the parts of a store's contract are written against: empty storage for each test, stores over it, and time.
 */
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Capabilities, Store } from "../stores/store.ts";
import { EPOCH } from "./changes.ts";

/** A transaction of a caller's own, as he would begin it on a client of the database. */
export interface ContractTransaction {
  /** What he hands to the store's `transaction`. */
  readonly client: unknown;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** What of a store every contract has to do with, and every kind of store has. */
export type AnyStore = Pick<Store, "gate" | "jobs" | "close">;

/** Empty storage of one test. */
export interface ContractStorage<Kind extends AnyStore = Store> {
  /** Another store over the same storage, as another process would open it. Who opens it closes it. */
  open(): Promise<Kind>;
  /**
   * Lets so many milliseconds pass for what the store times: leases, what waits, how long an outcome is kept. Negative:
   * sets its clock back. A store that asks the clock of a server moves the moments that it has kept instead.
   */
  passTime(ms: number): Promise<void>;
  /**
   * Puts what no vault writes into what is kept, as far as its database lets anybody: into columns of the entry that
   * waits first in an outbox; of a log, into its first entry and all its heads. Left out: nobody can.
   */
  damage?(): Promise<void>;
  /** Begins a transaction; of a store that is capable of a caller's own. */
  begin?(): Promise<ContractTransaction>;
}

/** Makes empty storage that goes away after the test. */
export type NewStorage<Kind extends AnyStore = Store> = (t: TestContext) => Promise<ContractStorage<Kind>>;

/** Registers a test, as `test` of node:test does. */
export type RegisterTest = (name: string, body: (t: TestContext) => Promise<void>) => unknown;

/** How a contract is run. */
export interface ContractOptions {
  /** How many rounds those tests take that look for a race: a whole number from 1. */
  readonly rounds?: number;
  /** Registers each test. Left out: `test` of node:test. */
  readonly test?: RegisterTest;
}

/** How the contract of a store of records is run. */
export interface StoreContractOptions extends ContractOptions {
  /** What the store declares, where it is not the usual: tests of what it does not do are left out. */
  readonly capabilities?: Partial<Capabilities>;
}

/** What a behaviour is shown on. */
export interface Given<Kind extends AnyStore = Store> {
  /** Over empty storage; at the first epoch, if it is of a kind that has a key set. */
  readonly store: Kind;
  readonly storage: ContractStorage<Kind>;
  /** Another store over the same storage; the contract closes it. */
  readonly another: () => Promise<Kind>;
  readonly rounds: number;
}

/** States one behaviour. */
export type Contract<Kind extends AnyStore = Store> = (
  behaviour: string,
  body: (given: Given<Kind>) => Promise<void>,
) => void;

/** Puts a key set in force: nothing is written before one is. */
const firstKeySet = ({ gate }: AnyStore): Promise<unknown> =>
  gate.flip({ from: EPOCH.none, digest: "the first key set" });

/** Gives each behaviour storage, stores and an end. `begin`: what is done to a store that is new. */
export function contractOn<Kind extends AnyStore>(
  name: string,
  newStorage: NewStorage<Kind>,
  { test: register = test, rounds = 1 }: ContractOptions,
  begin: (store: Kind) => Promise<unknown> = firstKeySet,
): Contract<Kind> {
  return (behaviour, body) => {
    register(`${name}: ${behaviour}`, async (t) => {
      const storage = await newStorage(t);
      const opened: Kind[] = [];
      const another = async (): Promise<Kind> => {
        const store = await storage.open();
        opened.push(store);
        return store;
      };
      try {
        const store = await another();
        await begin(store);
        await body({ store, storage, another, rounds });
      } finally {
        await Promise.allSettled(opened.map((store) => store.close()));
      }
    });
  };
}
