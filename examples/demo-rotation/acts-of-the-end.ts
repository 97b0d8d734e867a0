// The acts after the fault: the run ends by itself, the old key is retired with a proof, and what somebody slips in
// afterwards is found.
import { readFile, writeFile } from "node:fs/promises";
import { DAMAGED, itemsOf, leftKeys, type Play, runOf, shortened, until } from "./play.ts";
import { putBack, turnOverAByte } from "./rows.ts";
import { clientOf } from "./traffic.ts";

/** The acts, in order. */
export const ACTS_OF_THE_END: readonly ((play: Play) => Promise<void>)[] = [theFaultGoes, retireAKey, slipARowIn];

const REGION = "eu-west-1";
const REPORT = "retired.note";

async function theFaultGoes(play: Play): Promise<void> {
  const { stage, narrator, traffic } = play;
  await narrator.act(
    "The fault goes, and the run ends by itself",
    "Meanwhile the old key cannot be retired: something is under it. The row of the letter is put back as it was. The " +
      "run tries it again within a minute, lets go of old wraps then, and ends.",
  );
  const [line] = (await (await clientOf(stage)).convergence.inventory()).filter(
    ({ store, region, isInForce }) => store === "records" && region === REGION && !isInForce,
  );
  const early = await stage.run(["keys", "retire", line?.key ?? "", "--wait", "1", "--yes"]);
  await narrator.shows("strongroom keys retire ARN", early.stderr);
  await narrator.claims("it is refused: the key is needed still", early.stderr.includes("[key-still-needed]"));
  await narrator.shows(turnOverAByte(stage.ready.dataDir, DAMAGED), "");
  const ended = await until(async ({ convergence }) => (await convergence.status()).run?.state === "done", play);
  const isPromoted = await until(async () => (await leftKeys(play)) !== null, play);
  const status = await stage.run(["keys", "status"]);
  await narrator.shows("strongroom keys status", status.stdout);
  await narrator.claims("the run is done, and the new keys are those of the installation", ended && isPromoted);
  await traffic.stop();
  const { reads, writes, failed, wrong, whileDown } = traffic.counts;
  const { versions, differing } = await traffic.readBack();
  narrator.says(
    `${reads} reads and ${writes} writes were answered meanwhile, ${failed} failed, ${wrong} were answered wrongly; ` +
      `${whileDown} met no service while its process was dead. Of ${versions} acknowledged versions ${differing} do ` +
      "not read back as they were written.",
  );
  await narrator.claims("nobody was refused or answered wrongly", failed === 0 && wrong === 0);
  await narrator.claims("nothing is lost and nothing is unreadable", versions > writes && differing === 0);
  const lines = await (await clientOf(stage)).convergence.inventory();
  const [keys, records] = [itemsOf(lines, "keys"), itemsOf(lines, "records")];
  await narrator.claims("nothing lies under the old keys", keys.old + records.old === 0 && keys.now > 0);
  const { forecast, progress } = await runOf(play);
  const made = progress.calls.reduce((sum, { calls }) => sum + calls, 0);
  narrator.says(
    `${forecast.total} calls of the KMS were foreseen, ${made} were made: a region was away, a process was killed, and ` +
      "letters that were written meanwhile needed none.",
  );
}

async function retireAKey(play: Play): Promise<void> {
  const { stage, narrator } = play;
  const key = await oldKey(play);
  await narrator.act(
    "The old key is retired, with a proof",
    "No key set names it and every write of before has ended; nothing is under it; its KMS refuses to wrap under it; " +
      "after a wait nothing is under it still. Only then it is disabled, and a report is signed, which is verified " +
      "without the vault. (The wait is a minute where it is not shortened. AWS takes seven days at least to delete a " +
      "key; that is another command, a week later.)",
  );
  const retired = await stage.run(["keys", "retire", key, "--wait", "2", "--report", REPORT, "--yes"]);
  await narrator.shows(`strongroom keys retire ${key} --report ${REPORT}`, retired.stderr + retired.stdout);
  const [verifier = ""] = /strongroom\/\S+\/statements\+\S+/.exec(retired.stdout) ?? [];
  await narrator.claims("it is retired", retired.code === 0 && verifier !== "");
  const report = await stage.run(["keys", "report", REPORT, "--key", verifier]);
  await narrator.shows(`strongroom keys report ${REPORT} --key VKEY`, shortened(report.stdout, 8, 0));
  await narrator.claims("its report is verified offline", report.code === 0 && report.stdout.includes(key));
  const altered = await readFile(stage.beside(REPORT));
  const at = altered.indexOf("waitedSeconds");
  altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
  await writeFile(stage.beside("altered.note"), altered);
  const refused = await stage.run(["keys", "report", "altered.note", "--key", verifier]);
  await narrator.shows("strongroom keys report altered.note --key VKEY", refused.stderr);
  await narrator.claims(
    "with one bit altered it is refused",
    refused.code !== 0 && refused.stderr.includes("[report-refused]"),
  );
}

async function slipARowIn(play: Play): Promise<void> {
  const { stage, narrator, kept } = play;
  if (kept === null) throw new Error("no key was kept");
  const key = await oldKey(play);
  await narrator.act(
    "A row is slipped in afterwards",
    "Somebody puts the row of one person's key back, as it was before the rotation: under the key that was retired.",
  );
  await narrator.shows(putBack(stage.ready.dataDir, kept), "");
  const inventory = await stage.run(["keys", "inventory"]);
  await narrator.shows("strongroom keys inventory", inventory.stdout);
  const plan = await stage.run(["keys", "plan", "--exit-code"]);
  await narrator.claims(
    "the inventory names it, and the plan says that there is something to do",
    inventory.stdout.includes(key.slice(key.indexOf("key/"))) && plan.code === 1,
  );
  const deletion = ["keys", "retire", key, "--schedule-deletion", "--report", REPORT, "--yes"];
  const refused = await stage.run(deletion);
  await narrator.shows(`strongroom keys retire ${key} --schedule-deletion --report ${REPORT}`, refused.stderr);
  await narrator.claims("the key's deletion is refused", refused.stderr.includes("[key-still-needed]"));
  const healed = await stage.run(["keys", "apply", "--yes"]);
  await narrator.shows("strongroom keys apply --yes", shortened(healed.stdout, 0, 3));
  const lines = await (await clientOf(stage)).convergence.inventory();
  await narrator.claims(
    "another run brings it to the new keys, though one of its regions has disabled the old one",
    healed.code === 0 && itemsOf(lines, "keys").old === 0,
  );
  const verified = await stage.run(["verify"]);
  await narrator.shows("strongroom verify", verified.stdout + verified.stderr);
  await narrator.claims("every version of every record opens, and is as the audit has it", verified.code === 0);
}

/** The key of before that wrapped the keys of people, in one region. */
async function oldKey(play: Play): Promise<string> {
  const found = (await leftKeys(play))?.find(({ purpose, region }) => purpose === "keyStore" && region === REGION);
  if (found === undefined) throw new Error("no key was left");
  return found.keyArn;
}
