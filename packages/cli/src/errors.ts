// The errors of the command itself, as one closed table: what went wrong, what to do, and how it ends a command.
import { COMMAND_ERRORS, type ErrorRow, type ErrorTable, type Outcome } from "@strongroom/base/errors";
import { BACKUP_ERRORS, type BackupErrorCode } from "./backup-errors.ts";
import { RETIRE_ERRORS, type RetireErrorCode } from "./retire-errors.ts";

/** A code of {@link CLI_ERRORS}. */
export type CliErrorCode =
  | "usage"
  | "config-unreadable"
  | "config-invalid"
  | "config-not-trusted"
  | "data-dir-unusable"
  | "data-dir-newer"
  | "file-permissions"
  | "data-dir-in-use"
  | "port-in-use"
  | "kms-not-started"
  | "keys-not-ready"
  | "kms-unauthenticated"
  | "store-unreachable"
  | "store-login-refused"
  | "store-unauthenticated"
  | "store-unprepared"
  | "store-unfit"
  | "store-not-flipped"
  | "startup-failed"
  | "token-missing"
  | "plain-http"
  | "not-confirmed"
  | "input-unreadable"
  | "input-invalid"
  | "input-empty"
  | "input-has-bad-lines"
  | "id-key-unusable"
  | "ids-file-unusable"
  | "output-failed"
  | "records-damaged"
  | "export-incomplete"
  | "move-incomplete"
  | "token-absent"
  | "service-unreachable"
  | "service-unintelligible"
  | "service-refused"
  | "checks-failed"
  | "faults-not-allowed"
  | "drill-running"
  | "drill-collection-in-use"
  | "drill-without-effect"
  | "drill-not-cleared"
  | "drill-unfinished"
  | "promise-broken"
  | BackupErrorCode
  | RetireErrorCode
  | "unexpected"
  | "interrupted";

/** Every code a `CliError` can carry: what went wrong, what the person can do, and how it ends a command. */
export const CLI_ERRORS: ErrorTable<CliErrorCode> = {
  usage: COMMAND_ERRORS.usage,
  "config-unreadable": {
    title: "The configuration file cannot be read",
    remedy:
      "Check the path given by --config or STRONGROOM_CONFIG, and that the file is valid JSON, JavaScript or " +
      "TypeScript with a default export.",
    outcome: "usage",
    status: 500,
  },
  "config-invalid": {
    title: "The configuration is not valid",
    remedy: "Correct every problem listed; each names the setting and where its value came from.",
    outcome: "usage",
    status: 500,
  },
  "config-not-trusted": {
    title: "The configuration file is not trusted",
    remedy:
      "Read the file. If it is yours, trust it as it is: strongroom trust; or name it each time: --config FILE or " +
      "STRONGROOM_CONFIG.",
    outcome: "usage",
    status: 500,
  },
  "data-dir-unusable": {
    title: "The data folder cannot be used",
    remedy: "Choose a folder that you own and may write to (--data-dir DIR), or correct its owner and permissions.",
    outcome: "usage",
    status: 500,
  },
  "data-dir-newer": {
    title: "The data folder was made by a newer version of Strongroom",
    remedy: "Run the version that made it, or a later one. Nothing in the folder was changed.",
    outcome: "usage",
    status: 500,
  },
  "file-permissions": {
    title: "A file that holds authority is open to others",
    remedy: "Close the file, and the folders above it, to other users of this machine: chmod go-rwx FILE.",
    outcome: "usage",
    status: 500,
  },
  "data-dir-in-use": {
    title: "Another `strongroom up` is running on this data folder",
    remedy: "Use the one that runs, end it first, or choose another folder with --data-dir DIR.",
    outcome: "usage",
    status: 409,
  },
  "port-in-use": {
    title: "A port is in use",
    remedy:
      "End the process that listens there, or choose other ports: --port N for the service, --region NAME=PORT for " +
      "each region of the KMS.",
    outcome: "usage",
    status: 409,
  },
  "kms-not-started": {
    title: "The KMS did not start",
    remedy: "Read the reason in strongroom.log in the data folder, or start it alone to see it: strongroom kms serve.",
    outcome: "failure",
    status: 500,
  },
  "keys-not-ready": {
    title: "The KMS keys are not ready",
    remedy:
      "The regions named must answer once, to make or find their keys. Run strongroom doctor to see what each " +
      "region says.",
    outcome: "unavailable",
    status: 503,
  },
  "kms-unauthenticated": {
    title: "Whatever listens at the address of a KMS would be taken for it",
    remedy:
      "Use https:// for it, and say by what it is known: strongroom kms serve --tls prints the fingerprint of its " +
      "certificate for keys.regions[].tlsFingerprint; keys.regions[].caFile names an authority's file. Over plain " +
      "HTTP, loopback too, whoever takes the port is sent data keys in plaintext. Where nobody can, as within a " +
      "tunnel that ends in your own process: keys.allowUnauthenticatedKms: true.",
    outcome: "usage",
    status: 500,
  },
  "store-unreachable": {
    title: "The database cannot be reached",
    remedy:
      "Check host and port in store.url (--store, STRONGROOM_STORE), that PostgreSQL runs there, and that nothing " +
      "between keeps the connection back. Nothing was changed.",
    outcome: "unavailable",
    status: 503,
  },
  "store-login-refused": {
    title: "The database did not let the user in",
    remedy:
      "Check the user in store.url and the password: in the file that store.passwordFile names, or in " +
      "STRONGROOM_STORE_PASSWORD.",
    outcome: "not-allowed",
    status: 500,
  },
  "store-unauthenticated": {
    title: "It is not proven which server answers as the database",
    remedy:
      "Name the file of the authorities that signed its certificate: store.caFile; the certificate must have the " +
      "host's name as store.url has it. To a server on this machine alone, ?sslmode=disable does without.",
    outcome: "usage",
    status: 500,
  },
  "store-unprepared": {
    title: "The database is not prepared for this version",
    remedy:
      "Run strongroom store migrate with the same settings, once for the database, before the processes of the new " +
      "version start. strongroom store migrate --dry-run says what it would do.",
    outcome: "usage",
    status: 500,
  },
  "store-unfit": {
    title: "The database cannot take writes as it is",
    remedy: "What is the matter stands above. Nothing was changed.",
    outcome: "failure",
    status: 503,
  },
  "store-not-flipped": {
    title: "The key set in force was left as it is",
    remedy: "strongroom store status shows which set is in force, and which ones this configuration knows.",
    outcome: "conflict",
    status: 409,
  },
  "startup-failed": {
    title: "The service did not start",
    remedy: "The reason is given above; strongroom doctor checks configuration, files and regions.",
    outcome: "failure",
    status: 500,
  },
  "token-missing": {
    title: "No token to show to the service",
    remedy:
      "On the machine of `strongroom up`, give the same --data-dir. Beside `strongroom serve`, make one into a file: " +
      "strongroom token create NAME --scope admin --output FILE. Elsewhere bring that file. Then name it: " +
      "--token-file FILE or STRONGROOM_TOKEN_FILE.",
    outcome: "not-allowed",
    status: 401,
  },
  "plain-http": {
    title: "The token would travel unencrypted",
    remedy:
      "Use an https:// URL. Inside a network that you trust, allow it with --allow-plain-http or " +
      "client.allowPlainHttp.",
    outcome: "usage",
    status: 400,
  },
  "not-confirmed": {
    title: "Nothing was changed",
    remedy: "Say yes when you are asked, or give --yes.",
    outcome: "usage",
    status: 400,
  },
  "input-unreadable": {
    title: "The input cannot be read",
    remedy: "Check the path, or give - to read standard input.",
    outcome: "usage",
    status: 400,
  },
  "input-invalid": {
    title: "The input is not valid",
    remedy: "Correct the input; the message says where.",
    outcome: "usage",
    status: 400,
  },
  "input-empty": {
    title: "The input holds no record",
    remedy:
      "Check that the whole file arrived and that it is the right one. Nothing was changed: an import removes no " +
      "record that a file does not name.",
    outcome: "usage",
    status: 400,
  },
  "input-has-bad-lines": {
    title: "Some lines were not imported",
    remedy:
      "Correct the lines listed and run the same command again: what is stored already is left alone. With " +
      "--skip-bad such lines are not a failure.",
    outcome: "failure",
    status: 500,
  },
  "id-key-unusable": {
    title: "The key of the ids cannot be used",
    remedy:
      "The key must be its owner's alone (chmod 600) and the same as at the last import: with another one the same " +
      "people get other ids. Give it with --id-key-file FILE, or bring the data folder's ids.key back from a backup.",
    outcome: "usage",
    status: 500,
  },
  "ids-file-unusable": {
    title: "The file of ids cannot be used",
    remedy:
      "Name the file that the first import of these people wrote, or one that does not exist yet: --ids-file FILE.",
    outcome: "usage",
    status: 500,
  },
  "output-failed": {
    title: "The output cannot be written",
    remedy: "Check the folder's permissions and free space. An existing file was left as it was.",
    outcome: "failure",
    status: 500,
  },
  "records-damaged": {
    title: "Some records are not as they were stored",
    remedy:
      "All the others are shown. Restore the records that are named from a trusted backup, and find out who wrote to " +
      "the database.",
    outcome: "refused",
    status: 500,
  },
  "move-incomplete": {
    title: "The step of the move was not completed",
    remedy:
      "What was done stays. Correct the rows that are named, and run the same command again; strongroom move back " +
      "goes one stage back.",
    outcome: "failure",
    status: 500,
  },
  "export-incomplete": {
    title: "Some records could not be exported",
    remedy:
      "The file holds all the others. The records that are not in it are listed with their reasons: restore them " +
      "from a trusted backup, or run strongroom get on one to see why it is refused.",
    outcome: "refused",
    status: 500,
  },
  "token-absent": {
    title: "No such token",
    remedy: "List the tokens with strongroom token list.",
    outcome: "absent",
    status: 404,
  },
  "service-unreachable": {
    title: "The service cannot be reached",
    remedy: "Start it with strongroom up (or npm start), or say where it is: --url URL or STRONGROOM_URL.",
    outcome: "unavailable",
    status: 503,
  },
  "service-unintelligible": {
    title: "What answered is not a Strongroom service",
    remedy: "Check the URL given by --url, STRONGROOM_URL or client.url.",
    outcome: "failure",
    status: 502,
  },
  "service-refused": {
    title: "The service refused the request",
    remedy: "The code and detail are the service's own; docs/errors.md lists them.",
    outcome: "failure",
    status: 502,
  },
  "checks-failed": {
    title: "Some checks failed",
    remedy: "Each failed check says what to do.",
    outcome: "failure",
    status: 500,
  },
  "faults-not-allowed": {
    title: "Regions cannot be taken away here",
    remedy:
      "Start an installation for the drill with faults allowed: strongroom up --allow-faults. Elsewhere name the " +
      "control port of its KMS and the file with its header: --faults-url URL --faults-header-file FILE.",
    outcome: "usage",
    status: 400,
  },
  "drill-running": {
    title: "Another drill is running on this installation",
    remedy: "Wait for its end, or end it with Ctrl-C: it brings the regions back.",
    outcome: "usage",
    status: 409,
  },
  "drill-collection-in-use": {
    title: "The drill's collection holds other records",
    remedy: "Nothing was touched. Choose another collection for the drill's records with --collection NAME.",
    outcome: "usage",
    status: 409,
  },
  "drill-without-effect": {
    title: "No fault of the drill met a call of the service",
    remedy:
      "The service must use the KMS whose control port takes the regions away. A far region is asked by writes " +
      "only: add faults that writes meet.",
    outcome: "failure",
    status: 500,
  },
  "drill-not-cleared": {
    title: "The drill could not bring every region back",
    remedy: "Run the drill again: it brings back what is still away. Starting the KMS again does so too.",
    outcome: "failure",
    status: 500,
  },
  "drill-unfinished": {
    title: "The drill could not be done to its end",
    remedy:
      "Nothing of the vault was changed, and the scratch folder is gone. What was in the way is said above: end it " +
      "and run the drill again.",
    outcome: "failure",
    status: 500,
  },
  "promise-broken": {
    title: "A promise was broken",
    remedy:
      "docs/resilience.md says what each promise rests on; the drill's report shows the phase in which it was " +
      "broken.",
    outcome: "failure",
    status: 500,
  },
  ...BACKUP_ERRORS,
  ...RETIRE_ERRORS,
  unexpected: COMMAND_ERRORS.unexpected,
  interrupted: COMMAND_ERRORS.interrupted,
};

/** What a {@link CliError} may carry beside its code. */
export interface CliErrorOptions {
  /** What happened in this case: names of files, settings, ports. Never a secret and never a document's content. */
  readonly detail?: string;
  /** One entry per problem, where there are several. */
  readonly problems?: readonly string[];
  /** Replaces the table's remedy where the case allows a better one. */
  readonly remedy?: string;
  /** Replaces the table's outcome, for answers of the service. */
  readonly outcome?: Outcome;
  /** The code that the service or another package gave; shown instead of this error's own. */
  readonly reportedCode?: string;
  /** Replaces the table's title, for errors of the service or of another package. */
  readonly title?: string;
  readonly cause?: unknown;
}

/**
 * An error that a person can act on: a title, what happened, and what to do.
 *
 * @example
 * ```ts
 * import { CliError, EXIT_CODES } from "strongroom";
 *
 * const error = new CliError("config-invalid", { detail: "keys.minimum must be a whole number" });
 * console.log(error.code, EXIT_CODES[error.outcome].code); // prints: config-invalid 2
 * ```
 */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly code: CliErrorCode;
  readonly title: string;
  readonly detail: string | null;
  readonly problems: readonly string[];
  readonly remedy: string;
  readonly outcome: Outcome;
  /** The code to show: that of the service or package that reported it, or this error's own. */
  readonly reportedCode: string;
  /** The table's row, with what this case replaces. */
  readonly row: ErrorRow;

  constructor(code: CliErrorCode, options: CliErrorOptions = {}) {
    const entry = CLI_ERRORS[code];
    const title = options.title ?? entry.title;
    super(options.detail === undefined ? title : `${title}: ${options.detail}`, { cause: options.cause });
    this.code = code;
    this.title = title;
    this.detail = options.detail ?? null;
    this.problems = options.problems ?? [];
    this.remedy = options.remedy ?? entry.remedy;
    this.outcome = options.outcome ?? entry.outcome;
    this.reportedCode = options.reportedCode ?? code;
    this.row = { title, remedy: this.remedy, outcome: this.outcome, status: entry.status };
  }
}
