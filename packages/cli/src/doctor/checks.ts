// Everything that `strongroom doctor` checks, in the order in which it is shown.
import type { Check } from "./check.ts";
import { checkKeyFile, checkPermissions } from "./data-folder.ts";
import { checkDatabase } from "./database.ts";
import { checkSpace } from "./disk.ts";
import { checkConfiguration, checkNode } from "./machine.ts";
import { checkKeyPermissions } from "./permissions.ts";
import { checkRegions } from "./regions.ts";
import { checkService } from "./service.ts";

/** The checks. */
export const CHECKS: readonly Check[] = [
  checkNode,
  checkConfiguration,
  checkPermissions,
  checkSpace,
  checkDatabase,
  checkKeyFile,
  checkRegions,
  checkKeyPermissions,
  checkService,
];
