// The acts of the demo. Each does something for real, shows it, and claims what must be true of it.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "@strongroom/envelope";
import { setARecordBack, setTheDatabaseBack, whoReadAda } from "./acts-of-the-audit.ts";
import { rowsOf } from "./database.ts";
import type { Narrator } from "./narrator.ts";
import { PEOPLE_FILE, type Person, readPeople } from "./people.ts";
import { searchFiles } from "./plaintext-search.ts";
import type { Stage } from "./stage.ts";

/** The acts, in order. */
export const ACTS: readonly ((stage: Stage, narrator: Narrator) => Promise<void>)[] = [
  storePeople,
  lookIntoTheDatabase,
  moveARow,
  setARecordBack,
  whoReadAda,
  loseARegion,
  loseASecond,
  bringThemBack,
  setTheDatabaseBack,
];

/** How the database and the KMS know a person. */
const OPAQUE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Longest texts would be found by their parts; shorter ones are found by chance. */
const SHORTEST_SECRET = 6;

async function storePeople(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act(
    "Forty people go in",
    "A service and a KMS with three regions are running, in a temporary folder. The people are invented, their " +
      "names are in many scripts. " +
      "Each of them gets a key of their own, which a KMS key in each region wraps; every record hangs on the key of " +
      "whom it is about. The keys lie in a store of their own.",
  );
  const people = await readPeople();
  const imported = await stage.run(["import", "people", PEOPLE_FILE, "--id", "id"]);
  await narrator.shows("strongroom import people people.ndjson --id id", imported.stdout + imported.stderr);
  await narrator.claims(
    `all ${people.length} are stored`,
    imported.code === 0 && imported.stdout.startsWith(`${people.length} of ${people.length} records`),
  );
  const one = people[36] ?? people[0];
  const got = await stage.run(["get", "people", one?.id ?? ""]);
  await narrator.shows(`strongroom get people ${one?.id ?? ""}`, got.stdout + got.stderr);
  const again = await stage.run(["import", "people", PEOPLE_FILE, "--id", "id"]);
  await narrator.claims(
    "importing the same file again stores nothing twice",
    again.stdout.includes(`${people.length} unchanged`),
  );
  await narrator.claims("every one reads back equal to what went in", await allReadBack(stage, people));
}

async function lookIntoTheDatabase(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act(
    "What a thief of the database gets",
    "One row of the database: a message in the AWS Encryption SDK format. Its header says which record it is, and " +
      "whose key it hangs on, by a random id; the rest is noise.",
  );
  const people = await readPeople();
  const rows = rowsOf(stage.ready.dataDir);
  const message = await rows.message("p-001");
  const header = inspect(message);
  await narrator.shows(rows.shell(rows.reading("p-001")), hexLines(message, 4));
  await narrator.shows(
    "strongroom inspect message.bin",
    [
      `Suite      ${header.suiteId} ${header.suite}`,
      ...header.encryptedDataKeys.map(({ keyInfo }, index) => `${index === 0 ? "Data keys" : "         "}  ${keyInfo}`),
      ...Object.entries(header.encryptionContext).map(
        ([key, value], index) => `${index === 0 ? "Context  " : "         "}  ${key} = ${value}`,
      ),
    ].join("\n"),
  );
  const { "strongroom:id": id, "strongroom:subject": subject } = header.encryptionContext;
  await narrator.claims(
    "the data key hangs on one key, that of the person, who has a random id there",
    header.encryptedDataKeys.length === 1 &&
      header.encryptedDataKeys[0]?.keyInfo === subject &&
      OPAQUE_ID.test(subject ?? ""),
  );
  await narrator.claims(
    "the message is bound to its vault, collection, id, person and version",
    id === "p-001" && Object.keys(header.encryptionContext).length === 5,
  );
  const written = await stage.request("PUT", "/v1/records/people/p-044", "{}");
  const { wraps } = (await written.json()) as { readonly wraps?: { readonly stored: number } };
  await narrator.claims("a person's key is wrapped in three regions", wraps?.stored === 3);

  const secrets = people
    .flatMap(({ name, email, phone, address }) => [name, email, phone, ...address.lines])
    .filter((text) => text.length >= SHORTEST_SECRET);
  const copy = join(stage.ready.dataDir, "demo-copy");
  const isCopied = await rows.copyTo(copy);
  const result = await searchFiles(stage.ready.dataDir, secrets);
  narrator.says(
    `Now a search of every file of the installation, ${isCopied ? "with all rows of the database" : "log and write-ahead log included"} (${result.files} files, ${kibibytes(result.bytes)}), for ${secrets.length} names, addresses, e-mails and phone numbers: in clear, hex, base64 and UTF-16.`,
  );
  await narrator.claims(`${result.patterns.toLocaleString("en")} patterns, 0 hits`, result.found.length === 0);
  const control = await searchFiles(stage.ready.dataDir, ["p-001"]);
  await narrator.claims(
    "the same search does find an id, which is not secret: it looks in the right place",
    control.found.length === 1,
  );
  await rm(copy, { force: true });
}

async function moveARow(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act(
    "Somebody moves a row",
    "With access to the database one could try to read one person's data under another person's name. Encryption " +
      "alone does not stop that; binding each message to its place does.",
  );
  const rows = rowsOf(stage.ready.dataDir);
  const statement = rows.moving("p-002", "p-001");
  const original = await rows.message("p-001");
  await rows.run(statement);
  await narrator.shows(rows.shell(statement), "");
  const refused = await stage.run(["get", "people", "p-001"]);
  await narrator.shows("strongroom get people p-001", refused.stderr);
  await narrator.claims(
    "the read is refused, and the code says that the row was moved",
    refused.code === 5 && refused.stderr.includes("[record-moved]"),
  );
  const answer = await stage.request("GET", "/v1/records/people/p-001");
  const [, other] = await readPeople();
  const body = await answer.text();
  await narrator.claims(
    "not one field of either person is released",
    refused.stdout === "" &&
      answer.status >= 400 &&
      !body.includes(other?.email ?? "") &&
      !body.includes(other?.name ?? ""),
  );
  await rows.restore("p-001", original);
  await narrator.claims(
    "put back in its place, the record opens again",
    (await stage.run(["get", "people", "p-001"])).code === 0,
  );
}

async function loseARegion(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act(
    "A region is lost",
    "The KMS of eu-west-1, the nearest, goes away: its port is closed. Reads go on, and keys that are not in memory " +
      "are opened by the next region; a new person's key is made with two wraps, and says which one is missing.",
  );
  await stage.region("eu-west-1", "stop");
  await narrator.claims("all forty are read without it", await allReadBack(stage, await readPeople()));
  const put = await stage.run(["put", "people", "p-041"], '{"id":"p-041","name":"Written while a region was away"}');
  await narrator.shows("strongroom put people p-041 < person.json", put.stdout + put.stderr);
  await narrator.claims(
    "a write succeeds and reports its missing wrap",
    put.code === 0 && put.stdout.includes("2 of 3 wraps") && put.stdout.includes("missing: eu-west-1"),
  );
}

async function loseASecond(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act(
    "A second region is lost",
    "Only one region is left. Reading goes on. A new person's key would exist in one region only, which is less than " +
      "the two that were asked for: the write is refused, and nothing is stored.",
  );
  await stage.region("eu-west-2", "stop");
  const people = await readPeople();
  await narrator.claims("all forty are still read", await allReadBack(stage, people));
  const put = await stage.run(["put", "people", "p-042"], '{"id":"p-042","name":"Never stored"}');
  await narrator.shows("strongroom put people p-042 < person.json", put.stdout + put.stderr);
  await narrator.claims(
    "the write is refused, with the reason and the regions",
    put.code === 7 && put.stderr.includes("[wraps-below-minimum]") && put.stderr.includes("eu-west-2"),
  );
  await narrator.claims("over HTTP it is a 503 that says when to try again", await isRefusedOverHttp(stage));
  await narrator.claims("nothing was stored", (await stage.run(["get", "people", "p-042"])).code === 3);
}

async function bringThemBack(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act("They come back", "Both regions are started again. Nothing is restarted, nobody is told.");
  for (const name of ["eu-west-1", "eu-west-2"]) await stage.region(name, "start");
  await narrator.claims(
    "within seconds, the key of somebody new has all three wraps again",
    await writesFully(stage, performance.now() + 20_000),
  );
  const regions = await stage.run(["regions"]);
  await narrator.shows("strongroom regions", regions.stdout + regions.stderr);
  await narrator.claims("all three regions are up", (regions.stdout.match(/ up /g) ?? []).length === 3);
  await narrator.claims("the service is the same process as at the beginning", stage.isSameProcess());
  await narrator.claims("all forty are read", await allReadBack(stage, await readPeople()));
}

/** Exports everybody and compares with what went in. */
async function allReadBack(stage: Stage, people: readonly Person[]): Promise<boolean> {
  const { code, stdout } = await stage.run(["export", "people"]);
  if (code !== 0) return false;
  const read = new Map(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => [(JSON.parse(line) as Person).id, line]),
  );
  return people.every((person) => read.get(person.id) === JSON.stringify(person));
}

async function isRefusedOverHttp(stage: Stage): Promise<boolean> {
  const answer = await stage.request("PUT", "/v1/records/people/p-042", "{}");
  await answer.body?.cancel();
  return answer.status === 503 && answer.headers.has("retry-after");
}

async function writesFully(stage: Stage, deadline: number): Promise<boolean> {
  // Each time somebody new: of a person whose key is in memory no region is asked.
  for (let number = 1000; performance.now() < deadline; number++) {
    const answer = await stage.request("PUT", `/v1/records/people/p-${number}`, "{}");
    const { wraps } = (await answer.json()) as { readonly wraps?: { readonly stored: number } };
    if (wraps?.stored === 3) return true;
    await sleep(250);
  }
  return false;
}

function hexLines(bytes: Uint8Array, lines: number): string {
  const rows = Array.from({ length: lines }, (_, index) => Buffer.from(bytes.subarray(index * 32, (index + 1) * 32)));
  const shown = rows.map(
    (row) => `${row.toString("hex").replace(/(.{4})/g, "$1 ")} ${row.toString("latin1").replace(/[^ -~]/g, ".")}`,
  );
  return [...shown, `… ${bytes.length} bytes in all`].join("\n");
}

function kibibytes(bytes: number): string {
  return `${Math.round(bytes / 1024).toLocaleString("en")} KiB`;
}
