/**
 * How the text of an option is read, with messages a person can act on.
 */
import { z } from "zod";

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

/** A switch: given or not. */
export function given(): z.ZodType<boolean> {
  return z
    .boolean()
    .optional()
    .transform((value) => value ?? false);
}
