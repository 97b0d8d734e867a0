import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type {
  Audit,
  AuditEvent,
  AuditQuery,
  Client,
  ClientErrorCode,
  ClientOptions,
  StoredRecord,
  Why,
} from "@strongroom/client";
import { CLIENT_ERRORS, createClient, isClientError } from "@strongroom/client";
import { rawAesKeyring } from "@strongroom/envelope";
import { createServer } from "@strongroom/server";
import { openVault } from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore } from "@strongroom/vault/memory";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { inFolder } from "./support/folder.ts";

export const use = (): Promise<void> => inFolder(useIn);

async function useIn(folder: string): Promise<void> {
  const keyring = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const store = await sqliteStore(join(folder, "records.sqlite"));
  const audit = { log: memoryAuditLog() };
  const vault = await openVault({ store, keyring, keys: { store: memoryKeyStore() }, audit });
  const scopes = ["read", "write", "audit"] as const;
  const tokens = { verify: () => Promise.resolve({ id: "1", name: "packed", scopes }) };
  const server = await createServer({ vault, tokens, regions: { minimum: 0, health: () => [] } });
  const options: ClientOptions = { url: await server.listen({ host: "127.0.0.1", port: 0 }), token: "packed" };
  const client: Client = createClient(options);

  const { version } = await client.records.put("people", "ada", { name: "Ada Lovelace" }, { ifAbsent: true });
  const why: Why = { purpose: "support", ticket: "HELP-1" };
  const record: StoredRecord = await client.records.get("people", "ada", why);
  assert.equal(record.document["name"], "Ada Lovelace");
  assert.equal(record.version, version);
  const refused: unknown = await client.records.get("people", "nobody").catch((error: unknown) => error);
  assert.ok(isClientError(refused));
  const code: ClientErrorCode = refused.code;
  assert.equal(code, "record-absent");
  CLIENT_ERRORS satisfies object;

  await vault.audit?.sequence();
  const seen: Audit = client.audit;
  const query: AuditQuery = { action: "read", subject: "people/ada" };
  const [event]: readonly AuditEvent[] = await seen.events(query).all();
  assert.deepEqual([event?.principal, event?.purpose, event?.ticket], ["token:1", "support", "HELP-1"]);
  assert.ok((await seen.status()).size > 0);
  await server.close();
  await vault.close();
}

/** What the compiler is to refuse. */
export function misuse(client: Client): void {
  // @ts-expect-error a forgotten token
  createClient({ url: "http://127.0.0.1" });
  // @ts-expect-error a document is an object
  void client.records.put("people", "ada", 42);
  // @ts-expect-error a purpose is a code
  void client.records.get("people", "ada", { purpose: 42 });
  // @ts-expect-error there is no such code
  "no-such-code" satisfies ClientErrorCode;
}
