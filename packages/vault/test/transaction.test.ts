/** Transactions of an application: what becomes of its connection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActingVault } from "@strongroom/vault";
import { inTransaction } from "../src/transaction.ts";

/** Statement -> what is wrong with it. Else all is well. */
type Failing = Readonly<Record<string, string>>;

const CASES: readonly (readonly [what: string, failing: Failing, isDestroyed: boolean])[] = [
  ["was lost before it was begun", { begin: "gone", rollback: "gone" }, true],
  ["cannot even be rolled back", { commit: "gone", rollback: "gone" }, true],
  ["was rolled back", { commit: "refused" }, false],
];

for (const [what, failing, isDestroyed] of CASES)
  test(`a connection on which a transaction ${what} is ${isDestroyed ? "destroyed" : "used again"}`, async () => {
    const released: unknown[] = [];
    const client = {
      query: async (sql: string) => {
        const problem = failing[sql.split(" ")[0] ?? ""];
        if (problem !== undefined) throw new Error(problem);
        return Promise.resolve();
      },
      release: (destroy?: Error | boolean) => {
        released.push(destroy);
      },
    };
    const made = inTransaction(
      { withTransaction: async () => Promise.resolve([]) } as unknown as ActingVault,
      { connect: async () => Promise.resolve(client) },
      { prepare: () => [], work: async () => Promise.resolve() },
    );
    await assert.rejects(made);
    assert.deepEqual(released, [isDestroyed]);
  });
