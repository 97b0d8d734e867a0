// The process of the command `strongroom`.
import { runProcess } from "@strongroom/base/command";
import { PROGRAM } from "./program.ts";

await runProcess(PROGRAM);
