// The page docs/settings.md, made from the tables of settings, so that a setting is written once.
import { settingsIn, settingsTable } from "@strongroom/base/settings";
import { KMS_SETTINGS } from "@strongroom/kms/command";
import { SETTINGS } from "../packages/cli/src/config/settings.ts";

/** The settings that a file may give that nobody named. */
function harmless(): string {
  return settingsIn({ ...SETTINGS })
    .filter(({ setting }) => setting.harmless === true)
    .map(({ path }) => `\`${path}\``)
    .join(", ");
}

/** The whole page, as Markdown. */
export function settingsPage(): string {
  return [
    "# Settings",
    "",
    "Made by `npm run docs:settings` from the tables in the sources.",
    "",
    "## strongroom",
    "",
    "A file `strongroom.config.json` (or `.js`, `.mjs`, `.ts` with `defineConfig`) in the working folder, or the one that " +
      "`--config` or `STRONGROOM_CONFIG` names; then environment variables, then flags; the later wins. A setting " +
      '`service.port` is `{ "service": { "port": 8200 } }` in the file. Paths in the file are relative to it. ' +
      "Mistakes are all listed at once and nothing starts. The token and the databases' passwords are no settings: " +
      "they come from files, or from `STRONGROOM_TOKEN`, `STRONGROOM_STORE_PASSWORD` and `STRONGROOM_KEY_STORE_PASSWORD`.",
    "",
    `A file that was only found in the working folder may give ${harmless()}. For the others, and to be a program, it must be ` +
      "named, or trusted once as it is: `strongroom trust`.",
    "",
    ...settingsTable({ ...SETTINGS }),
    "",
    "## strongroom-kms, and strongroom kms",
    "",
    "Environment variables, then flags. `strongroom kms` takes the configuration's `kms` and `log.level` where neither " +
      "is given, and the folder `kms` in the configuration's data folder.",
    "",
    ...settingsTable({ ...KMS_SETTINGS }),
    "",
  ].join("\n");
}
