/**
 * The log of the audit in memory passes the contract.
 */
import { auditLogContract } from "@strongroom/vault/store-contract";
import { memoryLogContractStorage } from "../../support/memory-storage.ts";

auditLogContract("memory", () => memoryLogContractStorage());
