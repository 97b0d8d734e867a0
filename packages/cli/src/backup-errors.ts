// What can go wrong with folders that are made, backups and restores: these rows of the command's table (errors.ts).
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link BACKUP_ERRORS}. */
export type BackupErrorCode =
  | "folder-not-empty"
  | "folder-in-use"
  | "folder-unusable"
  | "copy-failed"
  | "backup-incomplete"
  | "backup-altered"
  | "restore-refused"
  | "drill-failed";

/** Code -> what it stands for. */
export const BACKUP_ERRORS: ErrorTable<BackupErrorCode> = {
  "folder-not-empty": {
    title: "There is something already where this would go",
    remedy: "Name a folder that is not there yet. Nothing in the one that is was changed.",
    outcome: "conflict",
    status: 409,
  },
  "folder-in-use": {
    title: "Another process is filling the folder",
    remedy: "Wait until it has ended, or name another folder.",
    outcome: "conflict",
    status: 409,
  },
  "folder-unusable": {
    title: "The folder cannot be made",
    remedy: "Check the permissions and the free space of the folder above it. Nothing is left of what was begun.",
    outcome: "failure",
    status: 500,
  },
  "copy-failed": {
    title: "A file could not be copied",
    remedy:
      "Check that the original is whole (strongroom doctor) and the target's free space. Nothing is left of the copy.",
    outcome: "failure",
    status: 500,
  },
  "backup-incomplete": {
    title: "There is no backup",
    remedy: "What was begun is no backup, and nothing restores it. Remove the reason, and make it anew.",
    outcome: "failure",
    status: 500,
  },
  "backup-altered": {
    title: "It is not a backup as it was made",
    remedy:
      "Use another backup: this one was changed, mixed with another or cut short, or is another vault's. Nothing of " +
      "it was restored.",
    outcome: "refused",
    status: 500,
  },
  "restore-refused": {
    title: "The backup cannot be restored",
    remedy: "Correct what is said, or use another backup. Nothing is left in the target.",
    outcome: "refused",
    status: 500,
  },
  "drill-failed": {
    title: "The backup does not bring everything back",
    remedy:
      "Look at the vault itself: strongroom doctor, and strongroom audit verify. Keep older backups until a drill " +
      "passes.",
    outcome: "refused",
    status: 500,
  },
};
