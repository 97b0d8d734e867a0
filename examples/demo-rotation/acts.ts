// The acts before the fault is gone: the incident, the same papers in Strongroom, and a rotation that is damaged,
// killed and cut off in its middle.
import { writeFile } from "node:fs/promises";
import type { ConvergencePlan } from "@strongroom/client";
import { COUNTS, type Collection, papersOf } from "./filings.ts";
import { replayIncident } from "./incident.ts";
import { DAMAGED, itemsOf, type Play, runOf, shortened, until } from "./play.ts";
import { keepAKey, turnOverAByte } from "./rows.ts";
import { clientOf } from "./traffic.ts";

/** The acts, in order. */
export const ACTS_OF_THE_ROTATION: readonly ((play: Play) => Promise<void>)[] = [
  anIncident,
  theSamePapers,
  rotateAndKill,
  loseARegion,
  listWhatFails,
];

/** Calls of the KMS a second and region: slow enough to come in between. */
const RATE = 15;

async function anIncident({ narrator }: Play): Promise<void> {
  await narrator.act(
    "How it went wrong elsewhere",
    "A small program rotates a key stage by stage, in two copies of the same data. Its keyring is strict: what is " +
      "under a key that it does not know, it drops before any KMS is asked. It catches what an item throws and moves " +
      "the item's version up, so that no later scan finds it. The KMS throttles one call in twelve, a rotation of " +
      "before had left a few rows, and one process still writes under the old key.",
  );
  const { rows, caught, found, unreadable, differing, lost } = await replayIncident();
  narrator.says(
    `${rows} rows a copy: ${caught} errors were caught. The program ends well, and its scan for rows of before finds ` +
      `${found}. Then the service is given the new key alone: it cannot read ${unreadable[0]} rows of one copy and ` +
      `${unreadable[1]} of the other, ${differing} rows are readable in one and not in the other. The old keys are ` +
      `deleted, seven days pass: ${lost} rows are lost in both.`,
  );
  await narrator.claims("its scan finds nothing left to do", found === 0);
  await narrator.claims("and rows of both copies are unreadable", unreadable[0] > 0 && unreadable[1] > 0);
  await narrator.claims("the copies have drifted: other rows in each", differing > 0);
  await narrator.claims("and with the old keys gone rows are lost for good", lost > 0);
}

async function theSamePapers(play: Play): Promise<void> {
  const { stage, narrator } = play;
  await narrator.act(
    "The same papers, in Strongroom",
    "Each filing is about somebody, who has a key of their own, wrapped by a KMS key in each of three regions. Each " +
      "letter is under the KMS keys of the regions themselves. What lies under which key is asked of the database, " +
      "and not of a version number.",
  );
  for (const collection of Object.keys(COUNTS) as Collection[]) {
    const file = stage.beside(`${collection}.ndjson`);
    const lines = papersOf(collection).map((paper) => `${JSON.stringify(paper)}\n`);
    await writeFile(file, lines.join(""));
    const imported = await stage.run(["import", collection, file, "--id", "id"]);
    await narrator.shows(`strongroom import ${collection} ${collection}.ndjson --id id`, imported.stdout);
    await narrator.claims(
      `all ${COUNTS[collection]} are stored`,
      imported.stdout.startsWith(`${COUNTS[collection]} of ${COUNTS[collection]} records`),
    );
  }
  const inventory = await stage.run(["keys", "inventory"]);
  await narrator.shows("strongroom keys inventory", inventory.stdout + inventory.stderr);
  play.kept = keepAKey(stage.ready.dataDir);
}

async function rotateAndKill(play: Play): Promise<void> {
  const { stage, narrator, traffic } = play;
  await narrator.act(
    "A rotation, while everybody works",
    "People read and write all the time, 20 requests a second. Somebody has damaged the row of one letter. One command " +
      "makes new keys in every region and brings everything to them; it is slowed down here, so that its process can " +
      "be killed in the middle.",
  );
  await narrator.shows(turnOverAByte(stage.ready.dataDir, DAMAGED), "");
  traffic.start();
  const rotate = ["keys", "rotate", "--rate", String(RATE), "--detach", "--yes"];
  const begun = await stage.run(rotate);
  await narrator.shows(`strongroom ${rotate.join(" ")}`, shortened(begun.stdout, 10, 8) + begun.stderr);
  await narrator.claims("it says beforehand what it changes, what it costs, and has begun", begun.code === 0);
  const isHalfway = await until(async ({ convergence }) => {
    const { now, old } = itemsOf(await convergence.inventory(), "keys");
    return now * 3 > old;
  }, play);
  const before = await runOf(play);
  await traffic.whileDown(async () => {
    await stage.kill();
    await narrator.shows("kill -9 $(pgrep -f 'strongroom up')", "");
    if ((await stage.startAgain()) !== null) throw new Error("strongroom up did not start again");
  });
  await narrator.shows("strongroom up", "Strongroom is up.");
  const { run } = await (await clientOf(stage)).convergence.status();
  await narrator.claims(
    "it was killed when some had their new wraps and some had not, and the run is there still",
    isHalfway && run?.id === before.id && run.state === "running",
  );
  await narrator.claims(
    "it goes on by itself: nobody has told it to",
    await until(async ({ convergence }) => {
      const now = (await convergence.status()).run;
      return now !== null && now.id === before.id && now.progress.done > before.progress.done;
    }, play),
  );
}

async function loseARegion(play: Play): Promise<void> {
  const { stage, narrator, traffic } = play;
  await narrator.act(
    "A region is away",
    "The KMS of eu-west-2 goes away while the run needs it. Nothing is skipped for that and nothing is called done: " +
      "what needs the region waits for it, and reads and writes go on with the two others.",
  );
  await stage.region("eu-west-2", "stop");
  const { reads, writes } = traffic.counts;
  const told = await until(
    async ({ convergence }) => (await convergence.status()).run?.progress.waits?.includes("eu-west-2") ?? false,
    play,
  );
  const status = await stage.run(["keys", "status"]);
  await narrator.shows("strongroom keys status", status.stdout + status.stderr);
  await narrator.claims("the run says what it waits for", told);
  await until(async () => traffic.counts.reads > reads + 50 && traffic.counts.writes > writes + 10, play);
  await narrator.claims(
    "meanwhile nobody who reads or writes has noticed",
    traffic.counts.failed === 0 && traffic.counts.wrong === 0 && (await runOf(play)).state === "running",
  );
  await stage.region("eu-west-2", "start");
}

async function listWhatFails(play: Play): Promise<void> {
  const { stage, narrator } = play;
  await narrator.act(
    "What fails is listed, and is not done",
    "The region is back. All goes on by itself, until nothing is left but the letter that is not as it was written. It stops " +
      "nobody else; it is not skipped either.",
  );
  const alone = await until(async ({ convergence }) => {
    const failing = await convergence.failures().all();
    return failing.length === 1 && stillToDo(await convergence.plan()) === 1;
  }, play);
  const failures = await stage.run(["keys", "failures"]);
  await narrator.shows("strongroom keys failures", failures.stdout + failures.stderr);
  await narrator.claims(
    "everything else has its new wraps; the one that fails is named, with its reason",
    alone && failures.stdout.includes(DAMAGED) && failures.stdout.includes("record-rolled-back"),
  );
  const { state, phase } = await runOf(play);
  await narrator.claims("the run is not done, and no old wrap has gone", state === "running" && phase === "add");
}

/** Items that have no wraps of the new keys yet, or not all. */
function stillToDo({ stores }: ConvergencePlan): number {
  const lines = stores.flatMap((store) => store.lines);
  return lines
    .filter(({ change }) => ["add", "add-and-drop", "seal-anew"].includes(change))
    .reduce((sum, { items }) => sum + items, 0);
}
