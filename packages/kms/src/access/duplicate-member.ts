// Members that stand twice in one object of a JSON text. JSON.parse keeps the last one in silence: who reads a policy
// from the top would believe another. Source: RFC 8259, section 4 (names should be unique).

/** A string, or a character that opens, closes or divides. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * The first name that comes twice in one object; null if none does.
 * @param text What JSON.parse has taken.
 * @example duplicateMember('{"a":1,"b":{"a":2},"a":3}'); // "a"
 */
export function duplicateMember(text: string): string | null {
  // Of each object that is open the names so far; a list has none.
  const open: Set<string>[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      // What stands before a colon is a name. Spelled with escapes it is still the same.
      const name = JSON.parse(last) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) return name;
      names?.add(name);
    }
    last = token;
  }
  return null;
}
