import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { clientSources } from "../client-types.ts";

test("the client's generated sources are those of the server's OpenAPI document as it is now", async () => {
  for (const [name, text] of Object.entries(await clientSources())) {
    const file = new URL(`../../packages/client/src/${name}`, import.meta.url);
    assert.equal(await readFile(file, "utf8"), text, `${name} is not current: npm run client:generate`);
  }
});
