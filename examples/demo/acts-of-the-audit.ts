// The acts of the demo that the audit is for: a record that is set back, whoever read somebody, a database of
// yesterday.
import { existsSync } from "node:fs";
import type { Narrator } from "./narrator.ts";
import { rowsOf } from "./database.ts";
import type { Stage } from "./stage.ts";

const OLD = '{"name":"Ida Quill","allergies":"none known"}';
const NEW = '{"name":"Ida Quill","allergies":"penicillin"}';

/** One record is set back by two statements. */
export async function setARecordBack(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act(
    "Somebody sets a record back",
    "Ida's record was corrected: there are two versions. Whoever writes the database takes the newest row away and " +
      "lets the head say one. What is left is genuine, message and all. But each write has an entry in the audit, " +
      "which lies elsewhere, and the newest one of this record is another.",
  );
  const rows = rowsOf(stage.ready.dataDir);
  await stage.run(["put", "people", "ida"], OLD);
  await stage.run(["put", "people", "ida"], NEW);
  await narrator.claims(
    "before, the corrected record is read",
    (await stage.run(["get", "people", "ida"])).stdout.trim() === NEW,
  );
  for (const statement of rows.settingBack("ida")) {
    await rows.run(statement);
    await narrator.shows(rows.shell(statement), "");
  }
  const refused = await stage.run(["get", "people", "ida"]);
  await narrator.shows("strongroom get people ida", refused.stderr);
  await narrator.claims(
    "the read is refused, the code says that the record was set back, and the old document is not released",
    refused.code === 5 && refused.stderr.includes("[record-rolled-back]") && refused.stdout === "",
  );
  await stage.run(["rm", "people", "ida", "--yes"]);
  const again = await stage.run(["put", "people", "ida"], NEW);
  await narrator.claims(
    "removed and written again it is version 3: no number is used twice",
    again.stdout.includes("version 3"),
  );
}

/** Who read somebody, and why. */
export async function whoReadAda(stage: Stage, narrator: Narrator): Promise<void> {
  await narrator.act(
    "Who read Ada?",
    "Each read is an entry of the audit before it is answered, and where there can be no entry there is no answer. " +
      "Somebody in support reads Ada, for a ticket. Then somebody asks who did.",
  );
  await stage.run(["token", "create", "support", "--scope", "read", "--output", "support.token"]);
  await stage.run(["put", "people", "ada"], '{"name":"Ada Lovelace","born":"1815-12-10"}');
  const read = await stage.run([
    ..."get people ada --purpose support --ticket T-2041 --token-file support.token".split(" "),
  ]);
  await narrator.shows(
    "strongroom get people ada --purpose support --ticket T-2041 --token-file support.token",
    read.stdout + read.stderr,
  );
  const who = await stage.run(["audit", "who-read", "people/ada"]);
  await narrator.shows("strongroom audit who-read people/ada", who.stdout + who.stderr);
  await narrator.claims(
    "the audit names who read Ada, when, which version, and for which ticket",
    /token:[0-9a-f]{12}.* read +done +people\/ada v1 +support T-2041/.test(who.stdout),
  );
  await narrator.claims("and that somebody has asked", await isInTheAudit(stage, "audit-read"));
  const verified = await stage.run(["audit", "verify"]);
  await narrator.shows("strongroom audit verify", verified.stdout + verified.stderr);
  await narrator.claims("no entry was changed, removed or put in between", verified.code === 0);
  // The database as it is now, for a later act.
  await rowsOf(stage.ready.dataDir).keep(stage.beside("yesterday"));
}

/** The database of before takes the place of the newest; not on a server, which its administrator sets back. */
export async function setTheDatabaseBack(stage: Stage, narrator: Narrator): Promise<void> {
  const old = stage.beside("yesterday");
  if (!existsSync(old)) return;
  await narrator.act(
    "Yesterday's database",
    "Whoever has a copy of the whole database puts it in the place of the newest one while the service is stopped, " +
      "with everything that vouches for it in the same folder. Each record in it is genuine, and they agree.",
  );
  const rows = rowsOf(stage.ready.dataDir);
  await stage.stop();
  await rows.exchange(old);
  await narrator.shows("cp yesterday/records.sqlite yesterday/records.sqlite.mark strongroom-data/", "");
  const refused = await stage.startAgain();
  await narrator.shows("strongroom up", refused?.stderr ?? "Strongroom is up.");
  await narrator.claims(
    "it does not start: the audit has entries that this database has never written",
    refused?.stderr.includes("[store-rolled-back]") ?? false,
  );
  await stage.stop();
  await rows.exchange(old);
  await narrator.claims("with the newest database back in its place it starts", (await stage.startAgain()) === null);
}

async function isInTheAudit(stage: Stage, action: string): Promise<boolean> {
  const tail = await stage.run(["audit", "tail"]);
  return tail.stdout.includes(` ${action} `);
}
