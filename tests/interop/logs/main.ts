// `npm run test:interop:logs`: what Strongroom gives out of its logs is verified by implementations that are not ours,
// and refused by them with a byte changed. Exit code 1 on any failure; without Go it is skipped, and said to be.

import { changesOf } from "./changes.ts";
import { commandLog } from "./command-log.ts";
import { madeUpLog } from "./made-up-log.ts";
import { vaultLog } from "./vault-log.ts";
import { type Claim, type ClaimedLog, LIBRARIES, type Library, Verifier } from "./verifier.ts";

/** Claims of which each byte is changed, of each kind; of the others each 97th is. */
const THOROUGH = 2;
const STEP = 97;
const FAILURES_SHOWN = 20;

const LOGS: readonly (() => Promise<ClaimedLog>)[] = [madeUpLog, vaultLog, commandLog];

const verifier = Verifier.start();
if (typeof verifier === "string") {
  process.stdout.write(`skipped: ${verifier}\n`);
} else {
  const failures: string[] = [];
  for (const make of LOGS) {
    const log = await make();
    process.stdout.write(`${log.name}\n`);
    for (const library of Object.keys(LIBRARIES) as Library[]) {
      const { verified, refused } = await verifyLog(verifier, library, log, failures);
      const line = `${verified} claims verified, ${refused} changed ones refused`;
      process.stdout.write(`  ${LIBRARIES[library].title}: ${line}\n`);
    }
  }
  await verifier.close();
  for (const failure of failures.slice(0, FAILURES_SHOWN)) process.stdout.write(`${failure}\n`);
  process.stdout.write(`${failures.length} failures\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

async function verifyLog(
  by: Verifier,
  library: Library,
  { claims }: ClaimedLog,
  failures: string[],
): Promise<{ readonly verified: number; readonly refused: number }> {
  const seen = new Map<Claim["kind"], number>();
  let [verified, refused] = [0, 0];
  // The last ones have the longest proofs.
  for (const given of claims.toReversed()) {
    const known = given.keys.filter(({ isEd25519 }) => isEd25519 || LIBRARIES[library].mlDsa);
    const claim = { ...given, keys: known.map(({ vkey }) => vkey) };
    const why = await by.refusal(library, claim);
    if (why === null) verified++;
    else failures.push(`${library} refuses ${claim.kind}: ${why}`);
    const count = (seen.get(claim.kind) ?? 0) + 1;
    seen.set(claim.kind, count);
    for (const change of changesOf(claim, count <= THOROUGH ? 1 : STEP)) {
      if ((await by.refusal(library, change.claim)) !== null) refused++;
      else failures.push(`${library} takes ${claim.kind} with ${change.at} changed`);
    }
  }
  return { verified, refused };
}
