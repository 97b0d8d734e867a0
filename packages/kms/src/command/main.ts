// The process of the command `strongroom-kms`.

import { runProcess } from "@strongroom/base/command";
import { KMS_PROGRAM } from "./program.ts";

// Whoever gives this command a channel, as process managers do, is not `strongroom up`, which starts `strongroom kms`:
// the server announces itself to a person all the same, and ends by signals.
delete process.send;

await runProcess(KMS_PROGRAM);
