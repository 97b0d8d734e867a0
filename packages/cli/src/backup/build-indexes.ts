// The indexes of a restored vault: their tags are in no backup, and are built anew before anybody asks.
import { startProgress } from "@strongroom/base/terminal/progress";
import type { Terminal } from "@strongroom/base/terminal";
import type { IndexesApplied, Vault } from "@strongroom/vault";
import { openLines } from "../installation/unbuilt-indexes.ts";

/** What became of them. */
export interface BuiltIndexes extends Pick<IndexesApplied, "built" | "records" | "duplicates" | "unopened"> {
  /** Those that are not built, `COLLECTION/INDEX`. */
  readonly left: readonly string[];
}

const NOTHING: Omit<BuiltIndexes, "left"> = { built: [], records: 0, duplicates: [], unopened: [] };

/** Builds those of the collections that the configuration declares as the vault has them; the others are left alone. */
export async function buildIndexes(
  vault: Pick<Vault, "indexes" | "collections">,
  how: "built" | "left",
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<BuiltIndexes> {
  const found: Omit<BuiltIndexes, "left">[] = [];
  // Counting reads every collection: once is enough of what nobody writes to yet.
  let counted: ReturnType<Vault["collections"]> | null = null;
  const restored = { indexes: vault.indexes, collections: () => (counted ??= vault.collections()) };
  if (how === "built") {
    const counts = new Map(
      (await restored.collections()).map(({ collection, records }) => [String(collection), records]),
    );
    const own = Map.groupBy(await openLines(restored), ({ collection }) => collection);
    for (const [collection, lines] of own) {
      // Another configuration than that of the vault must not drop what it does not know.
      if (lines.some(({ step }) => step === "drop")) continue;
      const total = counts.get(collection) ?? 0;
      const progress = startProgress(terminal, {
        label: `indexes of ${collection}`,
        total: total === 0 ? null : total,
      });
      try {
        const onProgress = ({ records }: { readonly records: number }): void => {
          progress.update(Math.min(records, total), records);
        };
        found.push(await vault.indexes.apply({ collection, signal, onProgress }));
      } finally {
        progress.stop();
      }
    }
  }
  const left = (await openLines(restored)).map(({ collection, index }) => `${collection}/${index}`);
  return {
    ...found.reduce(
      (sum, one) => ({
        built: [...sum.built, ...one.built],
        records: sum.records + one.records,
        duplicates: [...sum.duplicates, ...one.duplicates],
        unopened: [...sum.unopened, ...one.unopened],
      }),
      NOTHING,
    ),
    left,
  };
}
