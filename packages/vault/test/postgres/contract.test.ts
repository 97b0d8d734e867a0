/**
 * The store in PostgreSQL passes the contract.
 */
import { storeContract } from "@strongroom/vault/store-contract";
import { contractStorage, fileServer } from "./support/storage.ts";

const { pool } = await fileServer();

storeContract("postgres", (t) => contractStorage(t, pool), { capabilities: { callerTransaction: true } });
