import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { rawAesKeyring } from "@strongroom/envelope";
import type { Api, ServerErrorCode, TokenVerifier } from "@strongroom/server";
import { createServer, SERVER_ERRORS } from "@strongroom/server";
import { openVault, type Vault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { inFolder } from "./support/folder.ts";

const tokens: TokenVerifier = {
  verify: (token) =>
    Promise.resolve(token === "packed" ? { id: "1", name: "packed", scopes: ["read", "write"] } : null),
};

export const use = (): Promise<void> => inFolder(useIn);

async function useIn(folder: string): Promise<void> {
  const keyring = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const vault: Vault = await openVault({ store: await sqliteStore(join(folder, "records.sqlite")), keyring });
  const server: Api = await createServer({ vault, tokens, regions: { minimum: 0, health: () => [] } });
  const origin: string = await server.listen({ host: "127.0.0.1", port: 0 });
  const record = `${origin}/v1/records/people/42`;
  const headers = { authorization: "Bearer packed", "content-type": "application/json" };
  const written = await fetch(record, { method: "PUT", headers, body: JSON.stringify({ name: "Ada Lovelace" }) });
  assert.equal(written.status, 201);
  const read = await fetch(record, { headers });
  assert.deepEqual(await read.json(), { name: "Ada Lovelace" });
  const refused = await fetch(record);
  const problem = (await refused.json()) as { readonly code: ServerErrorCode };
  assert.equal(problem.code, "token-missing");
  assert.ok(SERVER_ERRORS[problem.code].remedy);
  await server.close();
  await vault.close();
}

/** What the compiler is to refuse. */
export function misuse(vault: Vault, server: Api): void {
  // @ts-expect-error forgotten regions
  void createServer({ vault, tokens });
  // @ts-expect-error there is no such code
  "no-such-code" satisfies ServerErrorCode;
  // @ts-expect-error a port is a number
  void server.listen({ port: {} });
}
