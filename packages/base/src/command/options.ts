/**
 * The options of a command: how one is defined, and how its text is read, with messages a person can act on.
 */
import { z } from "zod";
import { UsageError } from "../errors.ts";

/** One option of a command; `flags` as commander reads them: "--limit <n>", "-f, --force". */
export interface OptionSpec<Value> {
  readonly flags: string;
  readonly description: string;
  /** Reads and checks the option's text, or its absence. */
  readonly schema: z.ZodType<Value>;
  /** The option may be given several times; the schema reads a list of texts. */
  readonly repeatable?: boolean;
}

/** Options by their name in camel case, which must be that of the long flag. */
export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;

/** The values of an option table. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer Value> ? Value : never;
};

/** Defines an option. */
export function option<Value>(flags: string, description: string, schema: z.ZodType<Value>): OptionSpec<Value> {
  return { flags, description, schema };
}

/** Defines an option that may be given several times. */
export function repeatedOption<Value>(flags: string, description: string, schema: z.ZodType<Value>): OptionSpec<Value> {
  return { flags, description, schema, repeatable: true };
}

/** A whole number within limits, or absent. */
export function wholeNumber(minimum: number, maximum: number): z.ZodType<number | undefined> {
  const message = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(minimum, message).max(maximum, message))
    .optional();
}

/** A whole number within limits; `fallback` when absent. */
export function wholeNumberOr(fallback: number, minimum: number, maximum: number): z.ZodType<number> {
  return wholeNumber(minimum, maximum).transform((value) => value ?? fallback);
}

/** A text that is not empty, or absent. */
export function text(): z.ZodType<string | undefined> {
  return z.string().min(1, "must not be empty").optional();
}

/** One of the given words, or absent. */
export function oneOf<const Word extends string>(words: readonly Word[]): z.ZodType<Word | undefined> {
  return z.enum(words, `must be one of ${words.join(", ")}`).optional();
}

/** One of the given words; `fallback` when absent. */
export function oneOfOr<const Word extends string>(fallback: NoInfer<Word>, words: readonly Word[]): z.ZodType<Word> {
  return oneOf(words).transform((value) => value ?? fallback);
}

/** One or more of the given words, the option repeated for each, or absent. */
export function someOf<const Word extends string>(words: readonly Word[]): z.ZodType<readonly Word[] | undefined> {
  return z.array(z.enum(words, `must be one of ${words.join(", ")}`)).optional();
}

/** One or more words, the option repeated for each, or absent. */
export function texts(): z.ZodType<readonly string[] | undefined> {
  return z.array(z.string().min(1, "must not be empty")).optional();
}

/** A switch: given or not. */
export function given(): z.ZodType<boolean> {
  return z
    .boolean()
    .optional()
    .transform((value) => value ?? false);
}

/** Reads a command's own options; every wrong one is listed. */
export function readOptions(
  program: string,
  spec: { readonly name: string; readonly options: OptionTable },
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const schema = z.object(
    Object.fromEntries(Object.entries(spec.options).map(([name, { schema: one }]) => [name, one])),
  );
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const flags = spec.options[String(path[0])]?.flags ?? String(path[0]);
    return `${flags.split(/[ ,]+/).find((part) => part.startsWith("--")) ?? flags} ${message}`;
  });
  throw new UsageError({
    problems,
    remedy: `Run ${program} ${spec.name} --help: it lists arguments, options and examples.`,
  });
}
