// The process of the command `strongroom-kms`.

import { runProcess } from "@strongroom/base/command";
import { KMS_PROGRAM } from "./program.ts";

await runProcess(KMS_PROGRAM);
