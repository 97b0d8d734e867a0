// `npm run client:generate`
import { writeFileSync } from "node:fs";
import { clientSources } from "./client-types.ts";

for (const [name, text] of Object.entries(await clientSources()))
  writeFileSync(new URL(`../packages/client/src/${name}`, import.meta.url), text);
