// The demo: a narrated run on real parts that ends by itself. It exits with 0 only if every claim held.
//
//   npm run demo              with time to read
//   npm run demo -- --fast    at once (also when the output is not a terminal)
import { ACTS } from "./acts.ts";
import { ending, Narrator } from "./narrator.ts";
import { Stage } from "./stage.ts";

const fast = process.argv.includes("--fast") || !process.stdout.isTTY;
const narrator = new Narrator({ pauseMs: fast ? 0 : 900 });

{
  await using stage = await Stage.open();
  for (const act of ACTS) await act(stage, narrator);
}

process.exitCode = ending(narrator);
