/**
 * The memory store passes the contract, as it is and with what can be taken from it.
 */
import { storeContract } from "@strongroom/vault/store-contract";
import { memoryContractStorage } from "../../support/memory-storage.ts";

storeContract("memory", () => memoryContractStorage(), { capabilities: { callerTransaction: true } });
storeContract("memory, one unit a transaction", () => memoryContractStorage({ capabilities: { atomicUnits: 1 } }), {
  capabilities: { callerTransaction: true, atomicUnits: 1 },
});
