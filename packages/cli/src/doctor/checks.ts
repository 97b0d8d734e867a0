// Everything that `strongroom doctor` checks, in the order in which it is shown.
import type { Check } from "./check.ts";
import { checkKeyFile, checkPermissions } from "./data-folder.ts";
import { checkDatabase, checkKeyStore } from "./database.ts";
import { checkSpace } from "./disk.ts";
import { checkConfiguration, checkNode } from "./machine.ts";
import { checkPeople } from "./people.ts";
import { checkKeyPermissions } from "./permissions.ts";
import { checkPublicIds } from "./public-ids.ts";
import { checkRegions } from "./regions.ts";
import { checkService } from "./service.ts";
import { checkBackups, checkBelonging } from "./two-stores.ts";

/** The checks. */
export const CHECKS: readonly Check[] = [
  checkNode,
  checkConfiguration,
  checkPermissions,
  checkSpace,
  checkDatabase,
  checkKeyStore,
  checkBelonging,
  checkBackups,
  checkPeople,
  checkPublicIds,
  checkKeyFile,
  checkRegions,
  checkKeyPermissions,
  checkService,
];
