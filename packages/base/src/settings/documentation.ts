/**
 * The settings as a table of Markdown.
 */
import { defaultText, type SettingTable, settingsIn } from "./setting.ts";

/** One line for each setting: path, variables, flags, default, meaning. */
export function settingsTable(table: SettingTable): readonly string[] {
  const rows = settingsIn(table).map(({ path, setting }) => {
    const { ways, meaning } = setting;
    const several = ways.flatMap((way) =>
      way.meaning === undefined ? [] : [`${code(way.flag ?? way.env)}: ${way.meaning}`],
    );
    return [
      code(path),
      ways.map((way) => code(way.env)).join("<br>"),
      ways.flatMap((way) => (way.flag === undefined ? [] : [code(way.flag)])).join("<br>"),
      cell(defaultText(setting) ?? (typeof setting.default === "boolean" ? String(setting.default) : "")),
      cell([meaning, ...several].join("; ")),
    ];
  });
  return [
    "| setting | variable | flag | default | meaning |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ];
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
