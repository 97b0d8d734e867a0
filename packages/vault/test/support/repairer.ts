/**
 * A service in a process of its own, for rounds of repair: a vault with the repair over a store that others share, and
 * a writer in it that writes when it is told and tells everything that was acknowledged. Speaks over the IPC channel:
 * see `Order` and `Report`.
 */
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault, VaultError } from "@strongroom/vault";
import type { RepairStatus } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { QUICK_KEYRING, QUICK_REPAIR } from "./regional-vault.ts";
import { storeWith } from "./store-with.ts";

export interface Setup {
  readonly path: string;
  readonly name: string;
  readonly regions: readonly { readonly region: string; readonly endpoint: string; readonly keyArn: string }[];
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** `write` and `batch` are of records of this process alone; `increment` is of one that all processes write. */
export type Write =
  | { readonly kind: "write" | "remove"; readonly id: string }
  | { readonly kind: "batch"; readonly ids: readonly string[] }
  | { readonly kind: "increment" };

export type Order =
  | { readonly kind: "writes"; readonly writes: readonly Write[] }
  | { readonly kind: "status" }
  | { readonly kind: "end" };

export interface Acknowledged {
  readonly id: string;
  readonly version: number;
  /** What was written; null for a removal. */
  readonly document: Readonly<Record<string, unknown>> | null;
}

export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "written"; readonly acknowledged: readonly Acknowledged[] }
  | { readonly kind: "status"; readonly status: RepairStatus; readonly seen: Seen };

/** What this process' store did, as `id/version`. */
export interface Seen {
  /** Versions that were committed with a wrap missing. */
  readonly debts: readonly string[];
  /** Versions whose message was replaced. */
  readonly repairs: readonly string[];
}

const COLLECTION = "people";
const SHARED = "shared-counter";

const { path, name, regions, credentials } = JSON.parse(process.argv[2] ?? "") as Setup;
const keys = regions.map(({ region, endpoint, keyArn }) => ({
  region,
  keyArn,
  client: new KMS({ region, endpoint, credentials, maxAttempts: 1 }),
}));
const keyring = multiRegionKeyring({ regions: keys, minimum: 2, ...QUICK_KEYRING });
const seen = { debts: new Array<string>(), repairs: new Array<string>() };
const store = await sqliteStore(path);
const watched = storeWith(store, {
  records: {
    apply: async (units, options) => {
      const results = await store.records.apply(units, options);
      for (const [index, { address, change }] of units.entries()) {
        if (change.kind !== "write" || results[index]?.kind !== "made") continue;
        for (const { version, wrapSet } of change.versions)
          if (wrapSet.missing.length > 0) seen.debts.push(`${address.id}/${version}`);
      }
      return results;
    },
  },
  inventory: {
    rewrap: async (change) => {
      const result = await store.inventory.rewrap(change);
      if (result.kind === "made" && change.message !== null)
        seen.repairs.push(`${change.place.id}/${change.place.version}`);
      return result;
    },
  },
});
const vault = await openVault({
  store: watched,
  keyring,
  repair: { ...QUICK_REPAIR, health: () => keyring.health() },
});
let written = 0;

async function write(asked: Write): Promise<readonly Acknowledged[]> {
  switch (asked.kind) {
    case "write": {
      const document = { by: name, n: ++written };
      const { version } = await vault.put({ collection: COLLECTION, id: asked.id }, document);
      return [{ id: asked.id, version, document }];
    }
    case "batch": {
      const items = asked.ids.map((id) => ({ id, document: { by: name, n: ++written } }));
      const results = await vault.putMany(COLLECTION, items, { onExisting: "replace" });
      return results.map((result, index) => ({
        id: result.id,
        version: "version" in result ? result.version : 0,
        document: items[index]!.document,
      }));
    }
    case "remove":
      try {
        const { lastVersion } = await vault.remove({ collection: COLLECTION, id: asked.id });
        return [{ id: asked.id, version: lastVersion, document: null }];
      } catch (error) {
        if (error instanceof VaultError && error.code === "record-absent") return [];
        throw error;
      }
    case "increment":
      return [await increment()];
  }
}

/** Adds one to the shared counter by compare-and-swap: a write that was lost would be missing in the sum. */
async function increment(): Promise<Acknowledged> {
  for (;;) {
    const current = await vault.get({ collection: COLLECTION, id: SHARED });
    const document = { n: Number(current.document["n"]) + 1 };
    try {
      const { version } = await vault.put({ collection: COLLECTION, id: SHARED }, document, {
        expect: { kind: "version", version: current.version },
      });
      return { id: SHARED, version, document };
    } catch (error) {
      if (!(error instanceof VaultError && error.code === "version-conflict")) throw error;
    }
  }
}

function report(what: Report): void {
  process.send?.(what);
}

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case "writes": {
      const acknowledged: Acknowledged[] = [];
      for (const asked of order.writes) acknowledged.push(...(await write(asked)));
      report({ kind: "written", acknowledged });
      return;
    }
    case "status":
      report({ kind: "status", status: vault.repairStatus(), seen });
      return;
    case "end":
      await vault.close();
      for (const { client } of keys) client.destroy();
      process.disconnect();
  }
}

process.on("message", (order) => {
  void obey(order as Order);
});
// Whoever started this process is gone: it has nothing left to do.
process.once("disconnect", () => {
  process.exit();
});
report({ kind: "ready" });
