/**
 * A write by whoever sees or writes a part of documents: over what is stored, and only if that still is what it was
 * merged with.
 */
import { isVaultError, VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Address } from "../records/address.ts";
import type { Asked } from "../records/asked.ts";
import { copyOfDocument } from "../records/document.ts";
import type { JsonObject } from "../records/document.ts";
import { get } from "../records/read.ts";
import type { VaultRecord } from "../records/read.ts";
import { put, requireExpected } from "../records/write.ts";
import type { Expectation, PutOptions, PutResult } from "../records/write.ts";
import type { Access } from "./access.ts";
import { merged } from "./merge.ts";
import { withHashMask } from "./shown.ts";

/**
 * Writes the fields of `given` that the caller may write, and leaves all others as they are.
 *
 * @throws VaultError `field-forbidden`, `value-masked`, and as `put` and `get` do
 */
export async function putPart(
  dependencies: Dependencies,
  address: Address,
  given: JsonObject,
  { access, options, asked }: { readonly access: Access; readonly options: PutOptions; readonly asked: Asked },
): Promise<PutResult> {
  const { collection } = address;
  const { signal } = options;
  // Before the first await: from then on the caller may change what it has given.
  const expect: Expectation = options.expect === undefined ? { kind: "any" } : { ...options.expect };
  requireNobodyNamed(options, expect);
  const copy = copyOfDocument(given, dependencies.limits);
  const view = access.view(collection);
  const [writes, writesIn] = [access.writes(collection), access.writesIn(collection)];
  for (let attempt = 1; ; attempt++) {
    const stored = await storedNow(dependencies, address, signal, asked);
    requireExpected(expect, stored?.version ?? null);
    const document = await withHashMask(dependencies, { collection, view, signal }, (hash) =>
      merged(stored?.document ?? {}, copy, { view, writes, writesIn, hash }),
    );
    try {
      const result = await put(dependencies, address, document, { ...options, expect: asRead(stored) }, asked);
      return result.outcome === "created" ? result : withoutWhom(result);
    } catch (error) {
      if (!isVaultError(error) || error.code !== "version-conflict") throw error;
      if (attempt >= dependencies.limits.writeAttempts)
        throw new VaultError("record-contended", "Other writers kept changing the record; nothing was stored");
    }
  }
}

/**
 * Threat: `subject-differs` says whether a guess at whom a record is about was right.
 *
 * @throws VaultError `not-permitted`
 */
function requireNobodyNamed({ subject, about, tenant, repoint }: PutOptions, expect: Expectation): void {
  const isSaid = [subject, about, tenant, repoint].some((one) => one !== undefined);
  if (isSaid && expect.kind !== "absent")
    throw new VaultError(
      "not-permitted",
      "Whoever sees or writes a part of a record says whom a new one is about, and not whom one that is there is about",
    );
}

/** Null: there is none. */
async function storedNow(
  dependencies: Dependencies,
  address: Address,
  signal: AbortSignal | undefined,
  asked: Asked,
): Promise<VaultRecord | null> {
  try {
    return await get(dependencies, address, signal === undefined ? {} : { signal }, asked);
  } catch (error) {
    if (isVaultError(error) && error.code === "record-absent") return null;
    throw error;
  }
}

/** That what is there is what it was merged with. */
const asRead = (stored: VaultRecord | null): Expectation =>
  stored === null ? { kind: "absent" } : { kind: "version", version: stored.version };

function withoutWhom({ about: _, ...result }: PutResult): PutResult {
  return { ...result, subject: null };
}
