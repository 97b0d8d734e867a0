import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Client, ClientErrorCode, ClientOptions, StoredRecord } from "@strongroom/client";
import { CLIENT_ERRORS, createClient, isClientError } from "@strongroom/client";
import { rawAesKeyring } from "@strongroom/envelope";
import { createServer } from "@strongroom/server";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { inFolder } from "./support/folder.ts";

export const use = (): Promise<void> => inFolder(useIn);

async function useIn(folder: string): Promise<void> {
  const keyring = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const vault = await openVault({ store: await sqliteStore(join(folder, "records.sqlite")), keyring });
  const tokens = { verify: () => Promise.resolve({ id: "1", name: "packed", scopes: ["read", "write"] as const }) };
  const server = await createServer({ vault, tokens, regions: { minimum: 0, health: () => [] } });
  const options: ClientOptions = { url: await server.listen({ host: "127.0.0.1", port: 0 }), token: "packed" };
  const client: Client = createClient(options);

  const { version } = await client.records.put("people", "ada", { name: "Ada Lovelace" }, { ifAbsent: true });
  const record: StoredRecord = await client.records.get("people", "ada");
  assert.equal(record.document["name"], "Ada Lovelace");
  assert.equal(record.version, version);
  const refused: unknown = await client.records.get("people", "nobody").catch((error: unknown) => error);
  assert.ok(isClientError(refused));
  const code: ClientErrorCode = refused.code;
  assert.equal(code, "record-absent");
  CLIENT_ERRORS satisfies object;
  await server.close();
  await vault.close();
}

/** What the compiler is to refuse. */
export function misuse(client: Client): void {
  // @ts-expect-error a forgotten token
  createClient({ url: "http://127.0.0.1" });
  // @ts-expect-error a document is an object
  void client.records.put("people", "ada", 42);
  // @ts-expect-error there is no such code
  "no-such-code" satisfies ClientErrorCode;
}
