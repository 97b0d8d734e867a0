// Everything that `strongroom doctor` checks, in the order in which it is shown.
import { checkAliases } from "./aliases.ts";
import type { Check } from "./check.ts";
import { checkCryptoperiods } from "./cryptoperiod.ts";
import { checkKeyFile, checkPermissions } from "./data-folder.ts";
import { checkAuditLog, checkDatabase, checkKeyStore } from "./database.ts";
import { checkSpace } from "./disk.ts";
import { checkIndexes } from "./indexes.ts";
import { checkConfiguration, checkNode } from "./machine.ts";
import { checkPeople } from "./people.ts";
import { checkKeyPermissions } from "./permissions.ts";
import { checkPublicIds } from "./public-ids.ts";
import { checkRegions } from "./regions.ts";
import { checkService } from "./service.ts";
import { checkSetBack } from "./set-back.ts";
import { checkBackups, checkBelonging } from "./stores.ts";
import { checkWitness } from "./witness.ts";

/** The checks. */
export const CHECKS: readonly Check[] = [
  checkNode,
  checkConfiguration,
  checkPermissions,
  checkSpace,
  checkDatabase,
  checkKeyStore,
  checkAuditLog,
  checkBelonging,
  checkSetBack,
  checkBackups,
  checkWitness,
  checkPeople,
  checkPublicIds,
  checkIndexes,
  checkKeyFile,
  checkRegions,
  checkAliases,
  checkKeyPermissions,
  checkCryptoperiods,
  checkService,
];
