// Ids that are personal data themselves. Of a collection whose ids are public an id is not encrypted: it stands in the
// database, stays there after the record was removed, and in `record` scope every call for it leaves it in the audit
// of a KMS. Known by their form are addresses and telephone numbers; a name, a birthday or a customer's number are not
// told from any other id.

/** Whether an id looks like an e-mail address, a handle or a telephone number. */
export function looksPersonal(id: string): boolean {
  return ADDRESS.test(id) || isTelephone(id);
}

/** An @, however it is written. */
const ADDRESS = /[@\uff20\ufe6b]|%40|^mailto:/i;

/** Digits alone are any number; a telephone number tells itself by its prefix, its brackets or its groups. */
function isTelephone(id: string): boolean {
  const text = id.replace(/^tel:/i, "").trim();
  if (!/^[+\d(][\d\s().\u2010-\u2013/-]*$/.test(text) || DATE.test(text)) return false;
  const digits = text.replace(/\D/g, "").length;
  if (digits < 7 || digits > 15) return false;
  const groups = text.split(/[^\d+]+/).filter((group) => group !== "").length;
  return /^(?:\+|00|0\d{8})/.test(text.replace(/[^\d+]/g, "")) || text.includes("(") || groups >= 3;
}

/** ISO 8601, and days as people write them: they are no telephone numbers. */
const DATE = /^(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4})$/;

/** What is said of such ids. */
export const PERSONAL_ID_ADVICE: string =
  "An id is not encrypted, and stays in the database when the record is removed, and in the audit of the KMS: give " +
  'records ids that say nothing of anybody, or declare the collection with ids: "sealed".';
