// Files as people have them, with invented people: what each is, what is odd about it, and what it is imported with.
// What must come of each is in expected.ndjson, by the file's name.

/** A row of the table. */
export interface PeopleFile {
  /** Below people/. */
  readonly file: string;
  readonly kind: string;
  readonly quirk: string;
  /** Options of the import beside collection and file. */
  readonly options: string;
  readonly records: number;
}

/** Every file below people/. */
export const PEOPLE_FILES: readonly PeopleFile[] = [
  row(
    "keycloak-realm.json",
    "Keycloak realm",
    2,
    "users inside of the realm; hashes",
    "--id id --records users --drop credentials",
  ),
  row(
    "auth0-users.ndjson",
    "Auth0 export",
    2,
    "ids with |; hash; token in a list",
    "--id user_id --drop passwordHash,identities.access_token",
  ),
  row(
    "firebase-users.json",
    "Firebase auth:export",
    2,
    "users in an object; hash and salt",
    "--id localId --records users --drop passwordHash,salt",
  ),
  row("scim-users.json", "SCIM ListResponse", 2, "names with dots and colons", "--id id --records Resources"),
  row(
    "dynamodb-export.json",
    "DynamoDB export to S3",
    2,
    "typed values, numbers of 22 digits",
    "--id pk --unwrap dynamodb",
  ),
  row("dynamodb-export.json.gz", "the same, compressed", 2, "gzip", "--id pk --unwrap dynamodb"),
  row("dynamodb-scan.json", "DynamoDB scan", 2, "items in an object", "--id pk --records Items --unwrap dynamodb"),
  row(
    "mongodb-canonical.json",
    "mongoexport, canonical",
    2,
    "dates before 1970, 2^53 + 1, UUID",
    "--id _id --unwrap mongodb",
  ),
  row("mongodb-array.json", "mongoexport --jsonArray", 2, "a list, relaxed types", "--id _id --unwrap mongodb"),
  row("fhir-bundle.json", "FHIR Bundle", 2, "resources in entries", "--id id --records entry[].resource"),
  row("fhir-patients.ndjson", "FHIR bulk export", 3, "no id, two equal patients", "--new-ids"),
  row("array-one-a-line.json", "JSON list", 3, "one object a line, with commas", "--id id"),
  row("array-nested.json", "JSON of an API", 2, "a list two levels down", "--id id --records data.people"),
  row("objects-pretty.json", "jq output", 2, "objects over several lines, no list", "--id id"),
  row("windows-lines.ndjson", "NDJSON from Windows", 2, "CRLF, blank line, no last line end", "--id id"),
  row("psql-rows.ndjson", "psql -XAtc row_to_json", 2, "escapes, null", "--id id"),
  row(
    "german-excel.csv",
    "Excel, German",
    2,
    "semicolons, Windows-1252, dots in headings",
    "--id Nr --encoding windows-1252",
  ),
  row("excel-unicode.txt", "Excel, Unicode text", 2, "UTF-16, tabs, line break in a cell", "--id Id"),
  row("excel-utf8.csv", "Excel, CSV UTF-8", 2, "byte order mark, CRLF in a cell", "--id Id"),
  row("pipes.txt", "mainframe extract", 2, "pipes", "--id id"),
  row("mailchimp.csv", "Mailchimp audience", 2, "no id but the address", "--id-from Email\u00a0Address"),
  row(
    "google-contacts.csv",
    "Google contacts",
    2,
    "headings with dashes, lists in cells",
    "--id-from E-mail\u00a01\u00a0-\u00a0Value",
  ),
  row(
    "outlook.csv",
    "Outlook contacts",
    2,
    "everything in quotes, line breaks",
    "--id-from First\u00a0Name,E-mail\u00a0Address",
  ),
  row("trailing-comma.csv", "a script's CSV", 2, "a comma at the end of the heading, TRUE", "--id id"),
  row("shop-customers.csv", "a shop's customers", 2, "' before long numbers", "--id Customer\u00a0ID"),
  row("postgres.csv", "COPY … CSV", 2, "empty text beside no value", "--id id"),
  row("spaces-in-headings.csv", "typed by hand", 2, "blanks around headings and cells", "--id \u00a0id\u00a0"),
  row("hubspot.csv", "HubSpot contacts", 2, "a list in a cell, semicolons in a comma file", "--id Record\u00a0ID"),
  row("members.xlsx", "Excel workbook", 2, "postcode as number 00000, dates, hidden sheet", "--id Nr"),
  row("two-sheets.xlsx", "a workbook of a program", 2, "two sheets, inline texts, gaps", "--id id --sheet 2024"),
  row("apple.vcf", "Apple Contacts", 2, "vCard 3.0: groups, folding, photo", "--id uid"),
  row("version-4.vcf", "vCard 4.0", 2, "two languages, birthday without a year", "--id uid"),
  row("android-2.1.vcf", "Android, vCard 2.1", 2, "quoted-printable, no id", "--id-from email.0.value"),
  row("openldap.ldif", "OpenLDAP", 2, "base64, folding, several values", "--id-from dn --drop userPassword"),
  row("active-directory.ldif", "Active Directory, ldifde", 2, "changetype: add, GUID", "--id-from dn"),
];

function row(file: string, kind: string, records: number, quirk: string, options: string): PeopleFile {
  return { file, kind, quirk, options, records };
}
