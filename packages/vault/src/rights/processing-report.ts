/**
 * The record of processing activities (article 30 of the GDPR) as far as the declarations know it: what is kept, for
 * what, for how long, for whom, under which keys and where those are. It reads nothing of anybody.
 */
import type { Declarations } from "../collections/declaration.ts";
import type { PurposeOptions } from "../collections/purposes.ts";
import type { Scope } from "../stores/subjects.ts";

/** Of one collection. */
export interface ProcessedCollection {
  readonly collection: string;
  /** Whom its records are about: `record`, `id`, `none`, or the name of a field. */
  readonly subject: string;
  readonly scope: Scope;
  readonly ids: "public" | "sealed";
  readonly purposes: readonly PurposeOptions[];
  /** Fields that are declared, by their paths; of the others a declaration says nothing. */
  readonly fields: readonly string[];
  /** Null: records stay. `from` null: counted from when the newest version was written. */
  readonly retention: { readonly after: string; readonly from: string | null } | null;
  readonly recipients: readonly string[];
  readonly thirdParties: "omit" | "include";
}

/** The report. */
export interface ProcessingReport {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Where the wrapping keys are; empty: it was not said. */
  readonly regions: readonly string[];
  readonly collections: readonly ProcessedCollection[];
}

/** Of what is declared: what is stored without a declaration is not in it. */
export function processingReport(
  declarations: Declarations,
  { at, regions }: { readonly at: Date; readonly regions: readonly string[] },
): ProcessingReport {
  return {
    at: at.toISOString(),
    regions: [...regions],
    collections: declarations.all.map(({ collection, subject, scope, ids, rights, fields }) => ({
      ...{ collection, scope, ids },
      subject: typeof subject === "object" ? subject.field : subject,
      purposes: rights.purposes,
      fields: [...fields.keys()].sort(),
      retention:
        rights.retention === null
          ? null
          : { after: rights.retention.after.text, from: rights.retention.from?.join(".") ?? null },
      recipients: rights.recipients,
      thirdParties: rights.thirdParties,
    })),
  };
}

/**
 * The report as Markdown.
 *
 * @example
 * ```ts
 * import { processingMarkdown } from "@strongroom/vault";
 *
 * const report = { at: "2026-03-04T05:06:07.890Z", regions: ["eu-central-1"], collections: [] };
 * console.log(processingMarkdown(report).split("\n")[0]); // prints: # Record of processing activities
 * ```
 */
export function processingMarkdown({ at, regions, collections }: ProcessingReport): string {
  const lines = [
    "# Record of processing activities",
    "",
    `As declared on ${at}. Regions of the keys: ${regions.length === 0 ? "not said" : regions.map(shownText).join(", ")}.`,
  ];
  for (const one of collections) lines.push("", ofCollection(one).join("\n"));
  return `${lines.join("\n")}\n`;
}

function ofCollection(one: ProcessedCollection): readonly string[] {
  const { retention } = one;
  const from = retention?.from ?? null;
  const counted = from === null ? "the newest version" : `the field ${shownText(from)}`;
  return [
    `## ${shownText(one.collection)}`,
    "",
    `- Whose data: ${WHOSE[one.subject] ?? `whoever the field ${shownText(one.subject)} names`}`,
    `- Keys: in ${one.scope} scope; record ids ${one.ids}`,
    `- Fields: ${listed(one.fields)}`,
    `- Kept: ${retention === null ? "without an end" : `${retention.after} from ${counted} on`}`,
    `- Given to: ${listed(one.recipients)}`,
    `- Records about several people, in an export: ${one.thirdParties === "include" ? "whole" : "without content"}`,
    "",
    ...purposeTable(one.purposes),
  ];
}

const WHOSE: Readonly<Record<string, string>> = {
  record: "one person a record, or whom its writer names",
  id: "whoever has the record's id for a name",
  none: "nobody's",
};

function purposeTable(purposes: readonly PurposeOptions[]): readonly string[] {
  if (purposes.length === 0) return ["No purposes are declared."];
  const rows = purposes.map(({ code, basis = "", description = "", consent = false }) => {
    const [what, why] = [shownText(description), shownText(basis)];
    return `| ${shownText(code)} | ${what} | ${why} | ${consent ? "needed" : "not needed"} |`;
  });
  return ["| purpose | what for | legal basis | consent |", "| --- | --- | --- | --- |", rows.join("\n")];
}

const listed = (texts: readonly string[]): string =>
  texts.length === 0 ? "not declared" : texts.map(shownText).join(", ");

/** As text, whatever is in it: a declaration may be copied from anywhere, and the page is read in a browser. */
function shownText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|&!]/g, (character) => `&#${character.charCodeAt(0)};`);
}
