import { createClient, isClientError } from "@strongroom/client";

const { STRONGROOM_URL: url = "http://127.0.0.1:8200", STRONGROOM_TOKEN: token = "" } = process.env;
const client = createClient({ url, token });

// A write; only if there is no such record yet.
const { version } = await client.records.put("people", "ada", { name: "Ada Lovelace" }, { ifAbsent: true });

// Read, change, write: a version that somebody else wrote in between is not lost.
const { document } = await client.records.get("people", "ada");
await client.records.put("people", "ada", { ...document, born: 1815 }, { ifVersion: version });

// Every record, page after page.
for await (const { id, version } of client.records.list("people")) console.log(id, version);

try {
  await client.records.get("people", "nobody", { signal: AbortSignal.timeout(5000) });
} catch (error) {
  if (!isClientError(error)) throw error;
  console.log(error.code, error.status, error.outcome, error.requestId !== null);
}
