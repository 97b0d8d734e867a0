/**
 * Writes that are prepared beforehand and made within a transaction of the caller's own. Preparing does everything that
 * needs keys, the network or a wait; within the transaction there is none of it, so that no caller holds a connection
 * while a KMS is slow.
 */
import type { PutResult } from "./write.ts";

/**
 * A write that only needs to be made: `vault.withTransaction` takes it, once, within a minute. It says what the record
 * will be; until its transaction is committed nothing of it is stored. Only the vault that prepared it takes it: a copy
 * is none.
 */
export type PreparedWrite = Readonly<PutResult>;
