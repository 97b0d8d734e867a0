/**
 * The key store in PostgreSQL passes the contract.
 */
import { keyStoreContract } from "@strongroom/vault/store-contract";
import { fileServer, keyContractStorage } from "./support/storage.ts";

const { pool } = await fileServer();

keyStoreContract("postgres", (t) => keyContractStorage(t, pool));
