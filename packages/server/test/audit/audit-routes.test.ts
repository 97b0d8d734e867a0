/**
 * The routes that show the audit.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { audited, EVENT } from "../support/audited-vault.ts";
import type { AuditedVault, Told } from "../support/audited-vault.ts";
import { call } from "../support/http.ts";
import { installation } from "../support/installation.ts";
import type { Installation } from "../support/installation.ts";

async function withAudit(t: TestContext): Promise<Installation & { readonly audit: AuditedVault }> {
  let audit: AuditedVault | null = null;
  const service = await installation(t, {
    front: (vault) => {
      audit = audited(vault);
      return audit.vault;
    },
  });
  return { ...service, audit: audit! };
}

const asked = ({ told }: AuditedVault): readonly Told[] => told.filter(({ call: made }) => made !== "tell");

test("events are asked for by what the query says, and about a person by a header", async (t) => {
  const { origin, token, audit, log } = await withAudit(t);
  const query = "principal=token:1&action=read&collection=people&since=2026-03-04T05:06:07Z&order=oldest&limit=2";
  const page = await call(origin, `/v1/audit?${query}`, { token: token.audit });
  assert.equal(page.status, 200, page.text);
  assert.deepEqual(page.json, { events: [EVENT], next: null });
  const about = { "strongroom-subject": encodeURIComponent("Ada Lovelace"), "strongroom-tenant": "acme" };
  const who = await call(origin, "/v1/audit?until=2026-03-05T00:00:00.000Z&cursor=c", {
    token: token.audit,
    headers: about,
  });
  assert.equal(who.json.next, "more");
  assert.deepEqual(
    asked(audit).map(({ call: made, given }) => [made, given]),
    [
      [
        "events",
        [
          {
            principal: "token:1",
            action: "read",
            collection: "people",
            since: "2026-03-04T05:06:07Z",
            order: "oldest",
            limit: 2,
          },
        ],
      ],
      ["whoRead", ["Ada Lovelace", { until: "2026-03-05T00:00:00.000Z", cursor: "c", tenant: "acme" }]],
    ],
  );
  assert.doesNotMatch(log(), /Lovelace/);
});

test("a name in the URL is refused, and so is what means nothing", async (t) => {
  const { origin, token, audit } = await withAudit(t);
  for (const query of [
    "subject=Ada",
    "action=reads",
    "since=yesterday",
    "since=2026-03-04T05:06:07%2B02:00",
    "limit=0",
    "limit=501",
    "order=up",
    "principal=",
  ]) {
    const answer = await call(origin, `/v1/audit?${query}`, { token: token.audit });
    assert.equal(answer.json.code, "request-invalid", query);
  }
  const header = { "strongroom-subject": "Zoë" };
  const raw = await call(origin, "/v1/audit", { token: token.audit, headers: header });
  assert.equal(raw.json.code, "subject-invalid");
  assert.deepEqual(asked(audit), []);
});

test("only the scope audit sees it, and it sees nothing else", async (t) => {
  const { origin, token } = await withAudit(t);
  for (const path of ["/v1/audit", "/v1/audit/status", "/v1/audit/checkpoint", "/v1/audit/access-log"]) {
    for (const scope of ["read", "write"] as const)
      assert.equal((await call(origin, path, { token: token[scope] })).json.code, "scope-missing", path);
    assert.notEqual((await call(origin, path, { token: token.admin })).json?.code, "scope-missing", path);
  }
  for (const path of ["/v1/records/people/ada", "/v1/records/people", "/v1/collections", "/v1/regions"])
    assert.equal((await call(origin, path, { token: token.audit })).json.code, "scope-missing", path);
});

test("an access log is of whom a header names", async (t) => {
  const { origin, token, audit } = await withAudit(t);
  const nobody = await call(origin, "/v1/audit/access-log", { token: token.audit });
  assert.equal(nobody.json.code, "subject-invalid");
  const path = "/v1/audit/access-log?since=2026-03-04T05:06:07Z";
  const found = await call(origin, path, { token: token.audit, headers: { "strongroom-subject": "Zo%C3%AB" } });
  assert.deepEqual(found.json, {
    checkpoint: "note",
    key: "key",
    entries: [{ event: EVENT, text: "{}", proof: "proof" }],
  });
  assert.deepEqual(asked(audit)[0]?.given, ["Zoë", { since: "2026-03-04T05:06:07Z" }]);
});

test("the checkpoint is a note, and nothing before the first one", async (t) => {
  const { origin, token, audit } = await withAudit(t);
  const note = await call(origin, "/v1/audit/checkpoint", { token: token.audit });
  assert.equal(note.text, "log\n12\nAAAA\n");
  assert.match(note.headers["content-type"] ?? "", /^text\/plain/);
  audit.checkpoint = null;
  const none = await call(origin, "/v1/audit/checkpoint", { token: token.audit });
  assert.equal(none.status, 404);
  assert.equal(none.json.code, "checkpoint-absent");
});

test("the end of an export is told under its id", async (t) => {
  const { origin, token, audit } = await withAudit(t);
  const id = "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e";
  const end = (path: string, body: object) =>
    call(origin, path, { method: "POST", token: token.read, body, headers: { "strongroom-export": id } });
  const body = { collection: "people", outcome: "interrupted", records: 3 };
  assert.deepEqual((await end(`/v1/exports/${id}`, body)).json, body);
  const { actor, given } = audit.told.at(-1)!;
  assert.equal(actor.export, id);
  assert.deepEqual(given, ["export-ended", "aborted", { collection: "people", details: { records: 3 } }]);
  const other = await end("/v1/exports/7a2b9c7a-1de5-4bb4-a70b-5d3a6a0a1f0e", body);
  assert.equal(other.status, 400, "the header and the path name two");
  assert.equal((await end(`/v1/exports/${id}`, { ...body, collection: "Ada Lovelace" })).status, 400);
});

test("metrics and readiness say how the audit is", async (t) => {
  const { origin, audit } = await withAudit(t);
  audit.status = { ...audit.status, alarms: [{ code: "store-rolled-back", message: "set back", at: EVENT.at }] };
  const ready = await call(origin, "/readyz");
  assert.deepEqual(ready.json.audit, { ok: false, problem: "store-rolled-back", alarms: 1 });
  assert.equal(ready.status, 503);
  const { text } = await call(origin, "/metrics");
  for (const line of [
    "strongroom_audit_entries 12",
    "strongroom_audit_waiting 3",
    "strongroom_audit_delay_seconds 1.5",
    "strongroom_audit_published 11",
    "strongroom_audit_groups_total 4",
    "strongroom_audit_grouped_total 9",
    'strongroom_audit_alarms{code="store-rolled-back"} 1',
    'strongroom_audit_witness{witness="the witness /mnt/w",state="behind"} 1',
    'strongroom_audit_witness{witness="the witness /mnt/w",state="current"} 0',
  ])
    assert.ok(text.split("\n").includes(line), line);
});
