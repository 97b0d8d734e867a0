// Indexes that are declared for records that were there before: they are not built by themselves, since every record is
// opened for it. A start says so.
import { type IndexPlanLine, isVaultError, type Vault } from "@strongroom/vault";
import type { Logger } from "pino";

/** `COLLECTION/INDEX`, also in the log. What keeps it from being told keeps nothing else from its work. */
export async function unbuiltIndexes(
  vault: Pick<Vault, "indexes" | "collections">,
  logger: Pick<Logger, "warn">,
): Promise<readonly string[]> {
  try {
    const indexes = (await openLines(vault)).map(({ collection, index }) => `${collection}/${index}`);
    if (indexes.length > 0)
      logger.warn({ indexes }, "these indexes are not as declared: strongroom collection apply builds and drops them");
    return indexes;
  } catch (error) {
    if (!isVaultError(error)) throw error;
    logger.warn({ code: error.code }, "which indexes are built is not known now");
    return [];
  }
}

/** What is not as declared, of collections that have records: others get their indexes with their first one. */
export async function openLines(vault: Pick<Vault, "indexes" | "collections">): Promise<readonly IndexPlanLine[]> {
  const { indexes } = await vault.indexes.plan();
  const open = indexes.filter(({ step }) => step !== "ready" && step !== "purge");
  if (open.length === 0) return [];
  const collections = (await vault.collections()).filter(({ records }) => records > 0);
  const filled = new Set(collections.map(({ collection }) => String(collection)));
  return open.filter(({ collection }) => filled.has(collection));
}
