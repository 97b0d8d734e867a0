/**
 * Where in a document a field is, as a person is told.
 */

/**
 * A path for a person: `address.lines[0]`. What is no name of a field may be a value that is used as a key, and is not
 * told.
 */
export function fieldOf(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    const text = String(segment);
    if (/^\d{1,9}$/.test(text)) return `${path}[${text}]`;
    const name = /^[A-Za-z_$][\w$-]{0,63}$/.test(text) ? text : "*";
    return path === "" ? name : `${path}.${name}`;
  }, "");
}
