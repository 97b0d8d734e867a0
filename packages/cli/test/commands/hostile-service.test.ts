import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { verifierOf } from "@strongroom/tlog/keys";
import { PROGRAM } from "../../src/program.ts";
import { runCommand } from "../support/command.ts";
import {
  EVIL,
  EVIL_DOCUMENT,
  EVIL_PARTS,
  answering,
  evilAnswer,
  hostileService,
  steering,
} from "../support/hostile-service.ts";
import { type Ended, temporaryFolder } from "../support/installation.ts";

/** A verifier key of nobody. */
const AUDIT_KEY = verifierOf("strongroom/x", "ed25519", Buffer.alloc(32, 1)).vkey;

/** Command -> its arguments: those that show what a service, a file or a database says. */
const CALLS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  put: [["people", "x"]],
  get: [
    ["people", "x"],
    ["people", "x", "--version", "1"],
    ["people", "x", "--output", "out.json"],
  ],
  rm: [["people", "x", "--yes"]],
  history: [["people", "x"]],
  list: [[], ["people"], ["people", "--all"]],
  find: [["people"], ["people", "--all"], ["people", "--count"], ["people", "--explain"]],
  "collection list": [[]],
  "collection plan": [[], ["people", "--documents"]],
  "collection apply": [["--yes"]],
  "collection leakage": [["people"]],
  "collection rotate-key": [["--yes"]],
  "collection drop": [["people", "email", "--yes"]],
  import: [["people", "people.ndjson", "--id", "id"]],
  export: [["people"], ["people", "--format", "csv"], ["people", "out.csv"]],
  "audit tail": [[], ["--follow"]],
  "audit who-read": [["people/x"]],
  "audit what-did": [["token:x"]],
  "audit export": [[], ["--format", "ocsf"], ["--format", "ecs"], ["audit.ndjson"]],
  "audit checkpoint": [[]],
  "audit access-log": [["people/x"], ["people/x", "--out", "access.json"]],
  "audit verify": [["--access-log", "evil-access.json", "--key", "KEY"]],
  "audit exposure": [["token:x", "--names"]],
  "person show": [["people/x"]],
  "person export": [
    ["people/x", "--recipient", "x"],
    ["people/x", "out.ndjson", "--recipient", "x"],
    ["people/x", "--zip", "out.zip", "--recipient", "x"],
  ],
  "person restrict": [["people/x", "--except", "legal-claims"]],
  "person release": [["people/x"]],
  "person rectify": [["people/x", "people", "x", "patch.json"]],
  "person consent": [["people/x", "marketing"]],
  "person consents": [["people/x"]],
  "person recipients": [["people/x"]],
  "retention plan": [[]],
  "retention run": [[]],
  "processing-report": [[], ["--format", "json"], ["--out", "processing.md"]],
  backup: [["--check", "backup"]],
  restore: [["backup", "--data-dir", "restored", "--reason", "the disk failed"]],
  regions: [[], ["--watch"]],
  "regions debt": [[], ["--all"]],
  jobs: [[], ["--watch"]],
  "keys cost": [[]],
  "keys plan": [[]],
  "keys apply": [["--yes"], ["--yes", "--detach"]],
  "keys status": [[], ["--watch"]],
  "keys pause": [[]],
  "keys resume": [[]],
  "keys cancel": [["--reason", "a test"]],
  "keys undo": [["--reason", "a test", "--yes"]],
  "keys failures": [[], ["--all"]],
  "keys inventory": [[]],
  "approvals list": [[]],
  "approvals request": [["arn:aws:kms:eu-west-1:000000000000:key/a"]],
  "approvals approve": [["arn:aws:kms:eu-west-1:000000000000:key/a"]],
  "approvals withdraw": [["arn:aws:kms:eu-west-1:000000000000:key/a"]],
  erase: [["x", "--reason", "art-17", "--yes"]],
  "hold set": [["x", "--reason", "litigation"]],
  "hold lift": [["00000000-0000-4000-8000-000000000000", "--reason", "settled"]],
  "hold list": [[]],
  "certificate verify": [["evil-access.json", "--key", "KEY"]],
  "certificate show": [["00000000-0000-4000-8000-000000000000"]],
  "store status": [[]],
  "store migrate": [["--dry-run"]],
  doctor: [[]],
  drill: [["--faults-url", "URL", "--seconds", "1"]],
  inspect: [["message.bin"]],
  "token list": [[]],
  "token revoke": [["evil"]],
  "policy test": [
    ["--token", "evil"],
    ["--token", "evil", "--role", "read", "--field", "a"],
  ],
  "policy show": [[]],
  "kms health": [["URL"]],
  "kms policy test": [
    ["--policy", "policy.json", "--principal", "arn:aws:iam::000000000000:user/a", "--action", "Decrypt"],
  ],
};

/** The others, and why nothing of another's reaches their output. */
const SAY_NOTHING_OF_OTHERS: Readonly<Record<string, string>> = {
  up: "its own KMS and its own paths; what its KMS says goes through the same door (life.test.ts)",
  serve: "its log (log.test.ts)",
  verify: "what it finds, through the same door as every result; it opens nothing of a folder that is no vault's",
  trust: "the file that is trusted, by its path",
  "erasures export": "opaque ids and codes, through a writer of its own",
  "move plan": "columns and reasons of an application's own database, through the same door as every result",
  "move start": "as move plan",
  "move backfill": "as move plan",
  "move verify": "as move plan",
  "move cut-over": "as move plan",
  "move drop": "as move plan",
  "move back": "as move plan",
  "move status": "as move plan",
  "store flip": "the keys of the configuration, by its path or its ARNs",
  "keys retire": "steps of its own, ids of a form and its own stores, through the same door as every result",
  "certificate complete": "what the vault itself has signed, and key names, printable",
  "keys report": "a report that is checked",
  "keys rotate": "the keys of its own KMS, and then what keys apply does",
  "keys shred": "as keys rotate",
  "keys drill": "what an installation of its own says, through the same door as every result",
  "token create": "what was typed",
  completion: "the command's own words",
  "kms serve": "what was typed",
  "kms seed": "ids of a form",
  "kms policy template": "what was typed",
  "kms backup": "what was typed",
  "kms restore": "what was typed",
  "kms rekey": "what was typed",
  "kms rows accept": "findings, through the same door as every result",
  "kms audit verify": "numbers, times and what was typed",
  "kms audit checkpoint": "a note that is checked",
  "kms audit key": "a key that is checked",
  "kms audit prove": "a proof that is checked",
  "kms audit prune": "numbers",
};

/** What the commands read, in the folder that they run in. */
async function prepare(folder: string): Promise<void> {
  await writeFile(join(folder, "people.ndjson"), `${JSON.stringify({ id: "x", name: EVIL.toWellFormed() })}\n`);
  await writeFile(join(folder, "patch.json"), "{}");
  const statement = { Sid: EVIL, Effect: "Allow", Principal: { AWS: "*" }, Action: EVIL, Resource: "*" };
  await writeFile(join(folder, "policy.json"), JSON.stringify({ Version: "2012-10-17", Statement: [statement] }));
  await writeFile(join(folder, "message.bin"), EVIL.slice(0, 300));
  await writeFile(join(folder, "evil-access.json"), JSON.stringify(evilAnswer("AccessLog")));
  await mkdir(join(folder, "backup"));
  for (const name of ["manifest.json", "manifest.proof", EVIL_PARTS["clear the screen"] ?? ""])
    await writeFile(join(folder, "backup", name), JSON.stringify({ key: EVIL, entry: EVIL, proof: EVIL }));
  await mkdir(join(folder, "strongroom-data"), { mode: 0o700 });
  const token = { id: "evil", name: EVIL, scopes: ["read"], hash: "0".repeat(64), createdAt: EVIL };
  const tokens = JSON.stringify({ version: 1, tokens: [token] });
  await writeFile(join(folder, "strongroom-data", "tokens.json"), tokens, { mode: 0o600 });
}

/** What the command itself sends to a terminal: colours, the place of a table that is drawn again, a progress bar. */
const OWN = /\u001b(?:\[\d+m|\[J|\[\d+A\r|[78]|\[\?(?:25|7)[hl]|\[1G|\[[02]K)/g;

async function run(
  folder: string,
  url: string,
  name: string,
  args: readonly string[],
  columns?: number,
): Promise<Ended> {
  const takesUrl =
    !/^(?:(?:kms|token|policy|store|move) .*|inspect|audit verify|certificate verify|backup|restore)$/.test(name);
  const words = [
    ...name.split(" "),
    ...args.map((one) => (one === "URL" ? url : one === "KEY" ? AUDIT_KEY : one)),
    ...(takesUrl ? ["--url", url] : []),
  ];
  return runCommand(words, {
    cwd: folder,
    stdin: '{"a":1}',
    env: { STRONGROOM_TOKEN: "srt_token" },
    ...(columns !== undefined && { columns }),
    // A watch and a drill end, and whoever follows a run leaves.
    ...((args.includes("--watch") || args.includes("--follow") || name === "keys apply") && {
      signal: AbortSignal.timeout(300),
    }),
  });
}

describe("a hostile service, file or database", () => {
  it("meets every command, or the command shows nothing of others", () => {
    const names = PROGRAM.tables.flatMap(({ commands }) => commands.map(({ name }) => name));
    const listed = [...Object.keys(CALLS), ...Object.keys(SAY_NOTHING_OF_OTHERS)].filter(
      (name) => name !== "completion",
    );
    assert.deepEqual(listed.sort(), names.sort());
  });

  for (const how of ["well", "problem"] as const)
    for (const [name, calls] of Object.entries(CALLS))
      for (const args of calls)
        it(`steers no terminal through ${[name, ...args].join(" ")} when it answers ${how}`, async () => {
          await using folder = await temporaryFolder();
          await prepare(folder.path);
          await using service = await hostileService(how);
          const shown = await run(folder.path, service.url, name, args, 120);
          // A line end in a cell of CSV is the document's own, and belongs into it.
          const stdout = args.includes("csv") ? shown.stdout.replaceAll("\nFORGED", "") : shown.stdout;
          for (const text of [stdout, shown.stderr]) assert.equal(steering(text.replace(OWN, "")), null);
          // No colour but those that the command itself asks for, and none that conceals.
          assert.doesNotMatch(shown.stdout + shown.stderr, /\u001b\[8m/);
          const json = await run(folder.path, service.url, name, [...args, "--json"], 120);
          if (name === "export" && args.length !== 2) return;
          for (const text of [json.stdout, json.stderr]) {
            assert.equal(steering(text), null);
            for (const line of text.split("\n")) if (line !== "") JSON.parse(line);
          }
        });
});

describe("the data of a hostile service", () => {
  it("comes out of a pipe byte for byte, and of JSON as the same text", async () => {
    await using folder = await temporaryFolder();
    await using service = await hostileService("well");
    const raw = await run(folder.path, service.url, "get", ["people", "x"]);
    assert.equal(raw.stdout, `${JSON.stringify(EVIL_DOCUMENT)}\n`);
    const json = await run(folder.path, service.url, "get", ["people", "x", "--json"]);
    assert.deepEqual((JSON.parse(json.stdout) as { document: unknown }).document, EVIL_DOCUMENT);
    const shown = await run(folder.path, service.url, "get", ["people", "x"], 80);
    assert.deepEqual(JSON.parse(shown.stdout), EVIL_DOCUMENT);
    assert.equal(steering(shown.stdout), null);
    const exported = await run(folder.path, service.url, "export", ["people"]);
    assert.deepEqual(JSON.parse(exported.stdout), EVIL_DOCUMENT);
    const onScreen = await run(folder.path, service.url, "export", ["people"], 80);
    assert.deepEqual(JSON.parse(onScreen.stdout), EVIL_DOCUMENT);
  });

  it("may be nested without an end: it comes out as it is stored", async () => {
    const document = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    await using folder = await temporaryFolder();
    await using service = await answering((_, response) => {
      response.writeHead(200, { "strongroom-version": "1", "strongroom-subject": "x" });
      response.end(document);
    });
    for (const columns of [undefined, 80])
      assert.equal((await run(folder.path, service.url, "get", ["people", "x"], columns)).stdout, `${document}\n`);
    const { stdout, code } = await run(folder.path, service.url, "get", ["people", "x", "--json"]);
    assert.equal(code, 0);
    assert.ok(stdout.endsWith(`,"document":${document}}\n`));
  });

  for (const [kind, part] of Object.entries(EVIL_PARTS))
    it(`is shown escaped, not left out: ${kind}`, async () => {
      await using folder = await temporaryFolder();
      await using service = await answering((_, response) => {
        response.writeHead(404, { "content-type": "application/problem+json" });
        response.end(JSON.stringify({ code: "record-absent", title: `<${part}>`, detail: `<${part}>` }));
      });
      const { stderr, code } = await run(folder.path, service.url, "get", ["people", "x"], 80);
      assert.equal(code, 3);
      assert.equal(steering(stderr.replace(OWN, "")), null);
      assert.match(stderr, /</);
    });
});
