import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recordsOf } from "./opened.ts";

describe("LDIF", () => {
  it("reads entries: base64, folded lines and comments, several values, options, a version", async () => {
    const text = [
      "version: 1",
      "",
      "# a comment that",
      "  is folded",
      "dn: uid=ada,ou=people,dc=example,dc=org",
      "objectClass: person",
      "objectClass: inetOrgPerson",
      "cn:: QWRhIEzDtnZlbGFjZQ==",
      "cn;lang-de: Ada",
      "description: folded",
      "  line",
      "mail: ada@example.org",
      "Mail: ada@example.com",
      "telephoneNumber: +49 30 123",
      "postalCode: 01067",
      "jpegPhoto:: /9j/4AAQ",
      "userPassword:: e1NTSEF9eA==",
      "seeAlso:",
      "",
      "",
      "dn:: dWlkPXpvw6s=",
      "changetype: add",
      "uid: zoë",
    ].join("\n");
    assert.deepEqual(await recordsOf(text), [
      "ldif",
      {
        dn: "uid=ada,ou=people,dc=example,dc=org",
        objectClass: ["person", "inetOrgPerson"],
        cn: "Ada Lövelace",
        "cn;lang-de": "Ada",
        description: "folded line",
        mail: ["ada@example.org", "ada@example.com"],
        telephoneNumber: "+49 30 123",
        postalCode: "01067",
        jpegPhoto: { base64: "/9j/4AAQ" },
        userPassword: "{SSHA}x",
        seeAlso: "",
      },
      { dn: "uid=zoë", uid: "zoë" },
    ]);
  });

  it("refuses what is no entry by its line, without its content, and reads the others", async () => {
    const text = [
      "dn: uid=1",
      "uid: 1",
      "",
      "dn: uid=secret",
      "changetype: modify",
      "replace: mail",
      "mail: secret@example.org",
      "-",
      "",
      "dn: uid=secret",
      "changetype: delete",
      "",
      "dn: uid=2",
      "jpegPhoto:< file:///etc/passwd",
      "",
      "dn: uid=3",
      "cn:: no base64!",
      "",
      "uid: secret",
      "",
      "dn: uid=4",
      "dn: uid=5",
      "",
      "dn: uid=6",
      "secret",
      "",
      "dn: uid=7",
      "__proto__: x",
      "",
      "dn: uid=8",
      "constructor: x",
    ].join("\r\n");
    const expected: readonly unknown[] = [
      "ldif",
      { dn: "uid=1", uid: "1" },
      "4: is a change record (line 5): export the entries themselves, as ldapsearch -LLL does",
      "10: is a change record (line 11): export the entries themselves, as ldapsearch -LLL does",
      "13: line 14 names a file instead of a value",
      "16: line 17 is not base64",
      "19: does not begin with its dn",
      "21: has a second dn (line 22): a blank line is missing before it",
      "24: line 25 is not understood",
      "27: line 28 is not understood",
      { dn: "uid=8", constructor: "x" },
    ];
    assert.deepEqual(await recordsOf(text), expected);
  });

  it("refuses an entry whose lines end as those of old Macs, which would be one value", async () => {
    assert.deepEqual(await recordsOf("dn: uid=a\ruid: a\r"), ["ldif", "1: line 1 is not understood"]);
  });

  it("takes what ldapsearch writes without -LLL, and names a search that did not find everything", async () => {
    const search = (result: string): string =>
      `# extended LDIF\n#\n# LDAPv3\n\n# ada, x\ndn: uid=ada\nuid: ada\n\n# search result\nsearch: 2\nresult: ${result}\n\n# numEntries: 1\n`;
    const ada = { dn: "uid=ada", uid: "ada" };
    assert.deepEqual(await recordsOf(search("0 Success")), ["ldif", ada]);
    assert.deepEqual(await recordsOf("# extended LDIF\n#\n\n# search result\nsearch: 2\nresult: 32 No such object\n"), [
      "ldif",
      "5: the search that made the file ended with result 32, so that entries may be missing",
    ]);
    assert.deepEqual(await recordsOf(search("4 Size limit exceeded")), [
      "ldif",
      ada,
      "10: the search that made the file ended with result 4, so that entries may be missing",
    ]);
  });
});
