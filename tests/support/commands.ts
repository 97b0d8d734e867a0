/**
 * The commands that tests start as processes: those that `npm test` has bundled, or else, as when a file is run by
 * itself, those of the sources.
 */
import { join } from "node:path";

const PACKAGES = process.env["STRONGROOM_COMMANDS"] ?? join(import.meta.dirname, "../../packages");

/** The program of `strongroom`. */
export const STRONGROOM: string = join(PACKAGES, "cli/bin/strongroom.js");
/** The program of `strongroom-kms`. */
export const STRONGROOM_KMS: string = join(PACKAGES, "kms/bin/strongroom-kms.js");
