/**
 * One more process that works on a run: a vault, until its input ends.
 */
import { once } from "node:events";
import type { LargeTask } from "./large-vault.ts";
import { openLarge } from "./large-vault.ts";

const task = JSON.parse(process.argv[2] ?? "") as LargeTask;
const vault = await openLarge(task, {});
process.stdout.write("open\n");
process.stdin.resume();
await once(process.stdin, "end");
await vault.close();
