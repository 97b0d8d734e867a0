// The option that goes with every --principals.

import { given, option } from "@strongroom/base/command";
import type { OptionSpec } from "@strongroom/base/command";

export const allowReadablePrincipals: OptionSpec<boolean> = option(
  "--allow-readable-principals",
  "take a principals file that others on this machine may read, such as one that an orchestrator mounts",
  given(),
);
