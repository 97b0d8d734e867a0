// How spreadsheets write true and false. A column that an export of Strongroom marks `:boolean` comes back from a
// spreadsheet with TRUE, or WAHR where the spreadsheet speaks German. Only in such a column: in any other, TRUE is a
// text, since nobody said that it is not.

/** True and false in the languages of the spreadsheets that translate them, in small letters. */
const WORDS: Readonly<Record<"true" | "false", readonly string[]>> = {
  true: ["true", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar", "prawda", "sant", "sand", "tosi", "истина"],
  false: ["false", "falsch", "faux", "falso", "onwaar", "fałsz", "falskt", "falsk", "usann", "epätosi", "ложь"],
};

/** The value of such a word, or null. */
export function spreadsheetBoolean(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (WORDS.true.includes(word)) return true;
  return WORDS.false.includes(word) ? false : null;
}
