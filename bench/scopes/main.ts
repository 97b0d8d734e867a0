// `npm run bench:scopes`: a vault in each scope beside the same rows in clear, on SQLite and PostgreSQL. A whole run at
// full pace also writes its part of docs/performance.md, with its figures as JSON.

import { DOCS, saveScopes } from "../save.ts";
import { runRows } from "../stores/rows-command.ts";
import { SCOPE_EFFORTS, SCOPE_ROWS } from "./rows.ts";

await runRows("bench:scopes", {
  rows: SCOPE_ROWS,
  efforts: SCOPE_EFFORTS,
  save: (report) => {
    saveScopes(report, DOCS);
  },
});
