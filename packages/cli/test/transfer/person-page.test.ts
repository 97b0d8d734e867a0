/** A page for a person, and the zip that it is in: whatever is in a record, it is text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { strFromU8, unzipSync } from "fflate";
import { personPage } from "../../src/transfer/person-page.ts";
import type { PersonPageFacts } from "../../src/transfer/person-page.ts";
import { ZipOutput } from "../../src/transfer/zip-output.ts";

const EVIL = `"><script>alert(1)</script><img src=x onerror=alert(1)>'\u202e\u0000&=1+1`;

const facts: PersonPageFacts = {
  subject: EVIL,
  recipient: EVIL,
  held: {
    state: "active",
    except: [],
    keys: { subject: 1, tenant: 0 },
    collections: [{ collection: EVIL, scope: "subject", purposes: [EVIL], retention: EVIL, recipients: [EVIL] }],
    records: [
      {
        ...{ collection: EVIL, id: EVIL, version: 1, versions: 1, since: EVIL, newestAt: EVIL },
        ...{ others: 1, isAbout: true, until: null },
      },
    ],
    next: null,
  },
  recipients: [
    {
      ...{ export: EVIL, recipient: EVIL, kind: "person", principal: EVIL, purpose: EVIL, from: EVIL, to: EVIL },
      ...{ outcome: "complete", records: [] },
    },
  ],
  consents: [{ purpose: EVIL, state: "given", at: EVIL, evidence: EVIL, version: 1 }],
  events: [
    {
      ...{ position: 1, id: EVIL, at: EVIL, action: EVIL, result: EVIL, principal: EVIL, purpose: EVIL, ticket: EVIL },
      ...{ collection: EVIL, records: [], people: [], kms: [], export: null, label: null, details: {} },
    },
  ],
};

test("nothing of a record is markup, and nothing comes from elsewhere", () => {
  const page = personPage(facts);
  const tags = new Set([...page.matchAll(/<\/?([a-z0-9!]+)/g)].map(([, tag]) => tag));
  const own = [
    "!doctype",
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "p",
    "table",
    "tr",
    "th",
    "td",
  ];
  assert.deepEqual(
    [...tags].filter((tag) => !own.includes(tag!)),
    [],
  );
  assert.ok(!/[\u202e\u0000]/.test(page));
  assert.ok(!/\b(?:src|href|on[a-z]+)\s*=\s*["']/.test(page));
  assert.ok(page.includes("default-src 'none'"));
  assert.ok(page.includes("&lt;script&gt;"));
});

test("a zip has its files, and is written as they come", async () => {
  const parts: Uint8Array[] = [];
  const zip = new ZipOutput({ write: async (bytes) => void parts.push(Buffer.from(bytes as Uint8Array)) });
  const lines = Array.from({ length: 20_000 }, (_, index) => `{"n":${index},"noise":${Math.random()}}\n`);
  let written = 0;
  await zip.file("records.ndjson", async (write) => {
    for (const line of lines) await write(line);
    written = parts.length;
  });
  await zip.file("index.html", (write) => write("<p>"));
  await zip.end();
  assert.ok(written > 1, "not at the end alone");
  const files = unzipSync(Buffer.concat(parts));
  assert.deepEqual(Object.keys(files), ["records.ndjson", "index.html"]);
  assert.equal(strFromU8(files["records.ndjson"]!), lines.join(""));
});
