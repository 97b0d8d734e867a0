// `npm run docs:llms`: writes llms.txt from the documents (llms-page.ts).
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { llmsPage } from "./llms-page.ts";

const root = join(import.meta.dirname, "..");
writeFileSync(join(root, "llms.txt"), llmsPage(root));
