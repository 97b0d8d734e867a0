/**
 * Part of a store's contract: it declares what its tests were told that it does, so that none of them is left out.
 */
import assert from "node:assert/strict";
import type { Capabilities } from "../stores/store.ts";
import type { Contract } from "./contract.ts";

export function capabilitiesContract(contract: Contract, declared: Partial<Capabilities>): void {
  contract("it declares what it is tested for", async ({ store }) => {
    const { capabilities } = store;
    for (const [name, wanted] of Object.entries(declared)) {
      const found = capabilities[name as keyof Capabilities];
      // How many is the store's own; whether it is more than one decides which tests there are.
      if (name === "atomicUnits") assert.equal(capabilities.atomicUnits > 1, Number(wanted) > 1, `${name} is ${found}`);
      else assert.equal(found, wanted, name);
    }
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
