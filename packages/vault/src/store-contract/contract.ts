/**
 * What the parts of a store's contract are written against: empty storage for each test, stores over it, and time.
 */
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

/** Empty storage of one test. */
export interface ContractStorage {
  /** Another store over the same storage, as another process would open it. Who opens it closes it. */
  open(): Promise<Store>;
  /**
   * Lets so many milliseconds pass for what the store times: leases, what waits, how long an outcome is kept. Negative:
   * sets its clock back. A store that asks the clock of a server moves the moments that it has kept instead.
   */
  passTime(ms: number): Promise<void>;
  /** Begins a transaction; of a store that is capable of a caller's own. */
  begin?(): Promise<ContractTransaction>;
}

/** Makes empty storage that goes away after the test. */
export type NewStorage = (t: TestContext) => Promise<ContractStorage>;

/** Registers a test, as `test` of node:test does. */
export type RegisterTest = (name: string, body: (t: TestContext) => Promise<void>) => unknown;

/** How the contract is run. */
export interface StoreContractOptions {
  /** What the store declares, where it is not the usual: tests of what it does not do are left out. */
  readonly capabilities?: Partial<Capabilities>;
  /** How many rounds those tests take that look for a race: a whole number from 1. */
  readonly rounds?: number;
  /** Registers each test. Left out: `test` of node:test. */
  readonly test?: RegisterTest;
}

/** What a behaviour is shown on. */
export interface Given {
  /** Over empty storage, at the first epoch. */
  readonly store: Store;
  readonly storage: ContractStorage;
  /** Another store over the same storage; the contract closes it. */
  readonly another: () => Promise<Store>;
  readonly rounds: number;
}

/** States one behaviour. */
export type Contract = (behaviour: string, body: (given: Given) => Promise<void>) => void;

/** Gives each behaviour storage, stores and an end. */
export function contractOn(name: string, newStorage: NewStorage, register: RegisterTest, rounds: number): Contract {
  return (behaviour, body) => {
    register(`${name}: ${behaviour}`, async (t) => {
      const storage = await newStorage(t);
      const opened: Store[] = [];
      const another = async (): Promise<Store> => {
        const store = await storage.open();
        opened.push(store);
        return store;
      };
      try {
        const store = await another();
        await store.gate.flip({ from: EPOCH.none, digest: "the first key set" });
        await body({ store, storage, another, rounds });
      } finally {
        await Promise.allSettled(opened.map((store) => store.close()));
      }
    });
  };
}
