// The demo: a narrated run on real parts that ends by itself. It exits with 0 only if every claim held.
//
//   npm run demo              with time to read
//   npm run demo -- --fast    at once (also when the output is not a terminal)
import { styleText } from "node:util";
import { ACTS } from "./acts.ts";
import { Narrator } from "./narrator.ts";
import { Stage } from "./stage.ts";

const fast = process.argv.includes("--fast") || !process.stdout.isTTY;
const narrator = new Narrator({ pauseMs: fast ? 0 : 900 });

{
  await using stage = await Stage.open();
  for (const act of ACTS) await act(stage, narrator);
}

const claims = narrator.claimed();
const broken = claims.filter(({ held }) => !held);
if (broken.length === 0) {
  console.log(
    `\n${styleText(["green", "bold"], `All ${claims.length} claims held.`)} The temporary folder is gone; \`npm start\` keeps one.`,
  );
} else {
  console.log(`\n${styleText(["red", "bold"], `${broken.length} of ${claims.length} claims did not hold:`)}`);
  for (const { text } of broken) console.log(`  - ${text}`);
  process.exitCode = 1;
}
