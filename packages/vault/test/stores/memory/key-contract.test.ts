/**
 * The key store in memory passes the contract.
 */
import { keyStoreContract } from "@strongroom/vault/store-contract";
import { memoryKeyContractStorage } from "../../support/memory-storage.ts";

keyStoreContract("memory", () => memoryKeyContractStorage());
