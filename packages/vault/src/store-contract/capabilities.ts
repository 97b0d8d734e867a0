/**
 * Part of a store's contract: it declares what its tests were told that it does, so that none of them is left out.
 */
import assert from "node:assert/strict";
import type { Capabilities } from "../stores/store.ts";
import type { Contract } from "./contract.ts";

export function capabilitiesContract(contract: Contract, declared: Partial<Capabilities>): void {
  contract("it declares what it is tested for", async ({ store }) => {
    const { capabilities } = store;
    const told = Object.fromEntries(
      Object.keys(declared).map((name) => [name, capabilities[name as keyof Capabilities]]),
    );
    assert.deepEqual(
      { ...told, atomicUnits: told["atomicUnits"] !== 1 },
      { ...declared, atomicUnits: declared.atomicUnits !== 1 },
    );
    for (const name of ["atomicUnits", "unitItems", "unitBytes"] as const)
      assert.ok(Number.isSafeInteger(capabilities[name]) && capabilities[name] >= 1, name);
    assert.ok(["strong", "eventual"].includes(capabilities.list));
    assert.ok(["index", "scan"].includes(capabilities.inventory));
    assert.ok(["lock", "lease"].includes(capabilities.gate));
    assert.equal(store.transaction !== undefined, capabilities.callerTransaction);
    await store.requireRoom();
    await store.ping();
  });
}
