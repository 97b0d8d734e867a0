import { randomBytes } from "node:crypto";
import { rawAesKeyring } from "@strongroom/envelope";
import { createServer, fileTokens } from "@strongroom/server";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";

// In production: multiRegionKeyring of @strongroom/envelope/aws-kms, which also tells the health of its regions.
const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
const vault = await openVault({ store: await sqliteStore("records.sqlite"), keyring });
const tokens = await fileTokens("tokens.json");
const { token } = await tokens.create({ name: "example", scopes: ["read", "write"] });

const server = await createServer({ vault, tokens, regions: { minimum: 0, health: () => [] } });
const origin = await server.listen({ host: "127.0.0.1", port: 0 });

const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
const record = `${origin}/v1/records/people/42`;
const written = await fetch(record, { method: "PUT", headers, body: JSON.stringify({ name: "Ada Lovelace" }) });
const read = await fetch(record, { headers });
console.log(written.status, read.headers.get("etag"), await read.text());

await server.close();
await vault.close();
