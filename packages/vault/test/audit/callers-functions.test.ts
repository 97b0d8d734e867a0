/**
 * Functions that a caller gives to be told of alarms and faults: whatever they throw, the vault is as it would be
 * without them.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { setImmediate } from "node:timers/promises";
import { isVaultError } from "@strongroom/vault";
import { auditedVault } from "../support/audited-vault.ts";
import { rejectsWith } from "../support/errors.ts";
import { Rig } from "./support/rig.ts";
import { keep } from "./support/snapshot.ts";

const ADA = { collection: "people", id: "ada" };

const fails = (): never => {
  throw new Error("of the caller's own");
};
const failsLater = async (): Promise<void> => {
  await Promise.resolve();
  fails();
};

for (const [name, told] of Object.entries({ "throw at once": fails, "reject later": failsLater as () => void })) {
  test(`alarms that ${name} change nothing of what is refused`, async (t) => {
    const { vault, rowOf, putBack } = await auditedVault(t, { audit: { onAlarm: told, onFault: told } });
    await vault.put(ADA, { n: 1 }, { subject: "ada@example.com" });
    const first = rowOf(ADA);
    await vault.put(ADA, { n: 2 });
    putBack(ADA, first);
    await rejectsWith("record-rolled-back", () => vault.get(ADA));
    await vault.audit!.sequence();
  });

  test(`a store that is set back ends a vault whose alarms ${name}`, async () => {
    const rig = new Rig();
    const one = await rig.open({ onAlarm: told, onFault: told });
    await one.tellStores("open");
    one.service.start();
    const lane = one.lane();
    await one.write(lane, "ada");
    await one.sequence();
    const older = keep(rig, "records");
    await one.write(lane, "grace");
    await one.sequence();
    older();
    rig.pass(20_000);
    const isRefused = (): boolean => {
      try {
        one.service.requireWhole();
        return false;
      } catch (error) {
        return isVaultError(error) && error.code === "store-rolled-back";
      }
    };
    for (let turns = 0; turns < 2000 && !isRefused(); turns++) await setImmediate();
    assert.ok(isRefused());
    await one.service.close();
  });

  test(`a log that is away for a while is gone on with where faults ${name}`, async () => {
    const rig = new Rig();
    const stores = rig.stores();
    let isAway = false;
    const log = Object.assign(Object.create(stores.log) as typeof stores.log, {
      integrate: async (...args: Parameters<typeof stores.log.integrate>) =>
        isAway ? fails() : stores.log.integrate(...args),
    });
    const one = await rig.open({ onAlarm: told, onFault: told }, { ...stores, log });
    one.service.start();
    isAway = true;
    await one.append(one.lane());
    one.service.wake();
    for (let turns = 0; turns < 50; turns++) await setImmediate();
    isAway = false;
    await one.sequence();
    await one.service.close();
  });
}
