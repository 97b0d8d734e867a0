/**
 * Random bytes from node:crypto. Message ids are not secret and small, so they come from a pool that is filled in
 * one call for many: each byte of the pool is given out once.
 */
import { randomBytes, randomFillSync } from "node:crypto";
import { SecretBytes } from "./secret.ts";
import { unmovedMemory } from "./unmoved-memory.ts";

const POOL_BYTES = 8_192;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/** Fills `target` from the pool. For public values only: pool bytes are not wiped. */
export function fillPublicRandom(target: Buffer): void {
  if (used + target.length > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  pool.copy(target, 0, used, used + target.length);
  used += target.length;
}

export function randomPublicBytes(length: number): Buffer {
  return randomBytes(length);
}

export function randomSecret(length: number): SecretBytes {
  return new SecretBytes(randomFillSync(unmovedMemory(length)));
}
