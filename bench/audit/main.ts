// `npm run bench:audit`: a vault with an audit beside one without and beside the same rows in clear, on SQLite and
// PostgreSQL, in process and over HTTP. A whole run at full pace also writes its part of docs/performance.md, with its
// figures as JSON.

import { DOCS, saveAudit } from "../save.ts";
import { runRows } from "../stores/rows-command.ts";
import { AUDIT_EFFORTS, AUDIT_ROWS } from "./rows.ts";

await runRows("bench:audit", {
  rows: AUDIT_ROWS,
  efforts: AUDIT_EFFORTS,
  save: (report) => {
    saveAudit(report, DOCS);
  },
});
