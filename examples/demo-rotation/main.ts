// The demo of a rotation: an incident replayed, and the same data rotated as it should be. It exits with 0 only if
// every claim held.
//
//   npm run demo:rotation              with time to read
//   npm run demo:rotation -- --fast    at once (also when the output is not a terminal)
import { ending, Narrator } from "../demo/narrator.ts";
import { Stage } from "../demo/stage.ts";
import { ACTS_OF_THE_END } from "./acts-of-the-end.ts";
import { ACTS_OF_THE_ROTATION } from "./acts.ts";
import { DAMAGED, type Play } from "./play.ts";
import { Traffic } from "./traffic.ts";

// The hands of this demo know SQLite: nothing of where the records of whoever runs it lie.
for (const name of Object.keys(process.env))
  if (name.startsWith("STRONGROOM_")) Reflect.deleteProperty(process.env, name);

const fast = process.argv.includes("--fast") || !process.stdout.isTTY;
const narrator = new Narrator({ pauseMs: fast ? 0 : 900 });

{
  await using stage = await Stage.open({
    collections: { letters: { scope: "record" } },
    // What a process that was killed had claimed is free again soon.
    repair: { leaseMs: 5000 },
  });
  const traffic = new Traffic(stage, [DAMAGED]);
  const play: Play = { stage, narrator, traffic, kept: null };
  try {
    for (const act of [...ACTS_OF_THE_ROTATION, ...ACTS_OF_THE_END]) await act(play);
  } finally {
    await traffic.stop();
  }
  for (const problem of traffic.problems.slice(0, 5)) narrator.says(problem);
}

process.exitCode = ending(narrator);
