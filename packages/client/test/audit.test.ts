/** What the client asks of the audit, and what it says with each call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@strongroom/client";
import { json, madeUp, service } from "./support/service.ts";

const EXPORT = "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e";
const event = (position: number): object => ({
  position,
  id: EXPORT,
  at: "2026-03-04T05:06:07.890Z",
  action: "read",
  result: "done",
  principal: "token:1",
  purpose: null,
  ticket: null,
  collection: "people",
  records: [],
  people: [],
  kms: [],
  export: null,
  label: null,
  details: {},
});

test("events come page after page, and a name goes in a header", async () => {
  const seen: Request[] = [];
  const client = madeUp((request) => {
    seen.push(request);
    return json({ events: [event(seen.length)], next: seen.length === 1 ? "two" : null });
  });
  const query = { subject: "Zoë/1", tenant: "acme", action: "read", since: "2026-03-04T00:00:00Z" } as const;
  const found = await client.audit.events({ ...query, order: "oldest" }).all();
  assert.deepEqual(
    found.map(({ position }) => position),
    [1, 2],
  );
  assert.deepEqual(
    seen.map(({ url }) => new URL(url).search),
    [
      "?action=read&since=2026-03-04T00%3A00%3A00Z&order=oldest&limit=500",
      "?action=read&since=2026-03-04T00%3A00%3A00Z&order=oldest&cursor=two&limit=500",
    ],
  );
  for (const { headers } of seen) {
    assert.equal(headers.get("strongroom-subject"), "Zo%C3%AB%2F1");
    assert.equal(headers.get("strongroom-tenant"), "acme");
  }
});

test("why something is done is said with every call, and a call's own words win", async () => {
  const seen: Headers[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    seen.push(request.headers);
    return request.url.endsWith("/versions") ? json({ versions: [] }) : json({ items: [], next: null });
  };
  const client = createClient({ url: "http://vault.test", token: "srt_x", fetch, purpose: "support", ticket: "A-1" });
  await client.records.history("people", "ada");
  await client.records.list("people", { ticket: "B-2", export: EXPORT }).page();
  const said = (headers: Headers): readonly (string | null)[] =>
    ["purpose", "ticket", "export"].map((name) => headers.get(`strongroom-${name}`));
  assert.deepEqual(seen.map(said), [
    ["support", "A-1", null],
    ["support", "B-2", EXPORT],
  ]);
});

test("what has not the form is refused before anything is sent", async () => {
  const client = madeUp(() => {
    throw new Error("nothing is to be sent");
  });
  for (const why of [
    { purpose: "Because" },
    { ticket: "ada@example.org" },
    { export: "1" },
    { purpose: "a\r\nb: c" },
  ]) {
    const asked = client.records.get("people", "ada", why);
    await assert.rejects(asked, { code: "audit-actor-invalid" });
    assert.throws(() => createClient({ url: "http://x.test", token: "srt_x", ...why }), { code: "option-invalid" });
  }
  await assert.rejects(client.audit.endExport("1", { collection: "people", outcome: "complete", records: 0 }), {
    code: "audit-actor-invalid",
  });
});

test("of a service without an audit that is said, with its checkpoint or any other question", async (t) => {
  const { client } = await service(t);
  const auditor = await client("audit");
  for (const ask of [
    () => auditor.audit.status(),
    () => auditor.audit.checkpoint(),
    () => auditor.audit.accessLog("Ada"),
    () => auditor.audit.events().page(),
  ])
    await assert.rejects(ask, { code: "audit-missing" });
  const reader = await client("read");
  await reader.audit.endExport(EXPORT, { collection: "people", outcome: "complete", records: 3 });
});

test("a checkpoint has the form of one, or is not handed on", async () => {
  const root = Buffer.alloc(32, 1).toString("base64");
  const note = `strongroom/x/y\n12\n${root}\n\n\u2014 strongroom/x/y ${root}\n`;
  const answered = (text: string) =>
    madeUp(() => new Response(text, { headers: { "content-type": "text/plain" } })).audit.checkpoint();
  assert.equal(await answered(note), note);
  for (const text of ["", "<html>", note.trimEnd(), note.replace("12", "\u001b[2J12"), note.replace("\n\n", "\n")])
    await assert.rejects(answered(text), { code: "unintelligible" });
});
