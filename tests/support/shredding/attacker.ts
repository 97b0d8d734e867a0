// Whoever has old and present copies of both stores, and every right in the KMS. They use no vault, which would refuse
// them: they open each key by each of its wraps, people's keys by every tenant's key they have, and every message by all
// keys together.
import { DatabaseSync } from "node:sqlite";
import type { KMS } from "@aws-sdk/client-kms";
import { mapBounded } from "@strongroom/base/work";
import { decrypt } from "@strongroom/envelope";
import { BranchKeyCache, cachedBranchKeyring } from "@strongroom/envelope/hierarchical";
import { SecretBytes } from "@strongroom/envelope/keyrings";
import type { KeyRow } from "@strongroom/vault";
import { sqliteKeyStore } from "@strongroom/vault/sqlite";
import { isKeyOf, keyContext, branchKeyId } from "../../../packages/vault/src/keys/key-binding.ts";
import { namedTenantKey, tenantUnwrap } from "../../../packages/vault/src/keys/tenant-wrap.ts";

const AT_ONCE = 16;

/** `branchKeyId version` -> the key. */
export type OpenedKeys = ReadonlyMap<string, Uint8Array>;

/** All keys that the wraps of these copies of the key store give. */
export async function openKeys(
  copies: readonly string[],
  { vault, kms }: { readonly vault: string; readonly kms: ReadonlyMap<string, Pick<KMS, "decrypt">> },
): Promise<OpenedKeys> {
  const rows: KeyRow[] = [];
  for (const copy of copies) rows.push(...(await rowsOf(copy)));
  const found = new Map<string, Uint8Array>();
  await mapBounded(rows, AT_ONCE, async (row) => {
    for (const { provider, info, ciphertext } of row.wraps) {
      if (provider !== "aws-kms" || found.has(nameOf(row))) continue;
      const arn = Buffer.from(info).toString("utf8");
      const context = { ...keyContext(vault, row, row.createdAt), "kms-arn": arn };
      const client = kms.get(/^arn:aws:kms:([^:]+):/.exec(arn)?.[1] ?? "");
      const opened = await client
        ?.decrypt({ KeyId: arn, CiphertextBlob: ciphertext, EncryptionContext: context })
        .catch(() => undefined);
      if (opened?.Plaintext !== undefined && isKeyOf(opened.Plaintext, vault, row))
        found.set(nameOf(row), opened.Plaintext);
    }
  });
  for (const row of rows) {
    const named = namedTenantKey(row.wraps);
    const key = named === null ? undefined : found.get(`tenant:${named.tenant} ${named.version}`);
    if (named === null || key === undefined) continue;
    const tenantKey = { version: named.version, key: SecretBytes.copyOf(key) };
    const opened = tenantUnwrap(named.wrap, tenantKey, { vault, tenant: named.tenant, ...row });
    if (opened !== null && isKeyOf(opened.bytes, vault, row)) found.set(nameOf(row), Buffer.from(opened.bytes));
  }
  return found;
}

/** Documents that the messages of these copies of the record store give. */
export async function openMessages(copies: readonly string[], keys: OpenedKeys): Promise<readonly string[]> {
  const cache = new BranchKeyCache({
    store: {
      getActiveBranchKey: () => Promise.resolve(null),
      getBranchKeyVersion: (id, version) => {
        const key = keys.get(`${id} ${version}`);
        return Promise.resolve(key === undefined ? null : { version, key: SecretBytes.copyOf(key) });
      },
    },
    maxAgeMs: 60_000,
    capacity: 100_000,
  });
  const keyring = cachedBranchKeyring(cache, (context) => context["strongroom:subject"] ?? "");
  const found: string[] = [];
  for (const copy of copies)
    for (const message of messagesOf(copy)) {
      const opened = await decrypt(message, { keyring, encryptionContext: "as-stored" }).catch(() => null);
      if (opened !== null) found.push(Buffer.from(opened.plaintext).toString("utf8"));
    }
  cache.close();
  return found;
}

/** A copy of a database as it is now, as a backup makes it. */
export function copyOf(path: string, copy: string): string {
  const database = new DatabaseSync(path);
  try {
    database.prepare("vacuum into ?").run(copy);
  } finally {
    database.close();
  }
  return copy;
}

const nameOf = (row: KeyRow): string => `${branchKeyId(row)} ${row.version}`;

async function rowsOf(copy: string): Promise<readonly KeyRow[]> {
  const store = await sqliteKeyStore(copy);
  try {
    const sets = (await store.inventory.sets()).map(({ id }) => id);
    const items = await store.inventory.list({ sets, after: null, limit: 100_000 });
    const places = items.flatMap(({ place }) => place ?? []);
    const reads = await Promise.all(places.map(({ owner, version }) => store.keys.version(owner, version)));
    return reads.flatMap(({ key }) => key ?? []);
  } finally {
    await store.close();
  }
}

function messagesOf(copy: string): readonly Uint8Array[] {
  const database = new DatabaseSync(copy, { readOnly: true });
  try {
    const rows = database.prepare("select message from versions").all() as unknown as { message: Uint8Array }[];
    return rows.map(({ message }) => message);
  } finally {
    database.close();
  }
}
