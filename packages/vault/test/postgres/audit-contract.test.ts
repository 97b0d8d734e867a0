/**
 * The audit's log in PostgreSQL passes the contract.
 */
import { auditLogContract } from "@strongroom/vault/store-contract";
import { auditContractStorage, fileServer } from "./support/storage.ts";

const { pool } = await fileServer();

auditLogContract("postgres", (t) => auditContractStorage(t, pool));
