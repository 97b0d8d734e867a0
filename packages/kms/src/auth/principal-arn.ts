// How IAM forms accounts and the ARNs of principals. Whether there is such a user or role in another account cannot be
// known here; that its name could be one can. Source: IAM User Guide, "IAM identifiers" and "IAM and AWS STS quotas".

/** The form of an account's number. */
export const ACCOUNT_ID: RegExp = /^\d{12}$/;

/** What is told of an account's number that has another form. */
export const ACCOUNT_ID_RULE = "must have twelve digits";

/** The longest path there can be, and more; the patterns are tried on nothing longer. */
const MAX_LENGTH = 1024;
/** A path, and a name of 1 to 64 characters. */
const NAME = String.raw`(?:[\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{1,64}`;
const LASTING = new RegExp(String.raw`^arn:aws:iam::\d{12}:(?:root|user/${NAME}|role/${NAME})$`);
const SESSION =
  /^arn:aws:sts::\d{12}:(?:assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}|federated-user\/[\w+=,.@-]{2,64})$/;

/** `*` stands for everyone, never for a part of a name. */
const fits = (text: string, form: RegExp): boolean =>
  text.length <= MAX_LENGTH && form.test(text) && !text.includes("*") && !text.includes("?");

/** The ARN of an account's root. */
export const rootArn = (account: string): string => `arn:aws:iam::${account}:root`;

/** Whether `text` is the ARN of an account's root, a user or a role: of one who can have access keys here. */
export const isLastingPrincipalArn = (text: string): boolean => fits(text, LASTING);

/** Whether `text` is the ARN of an account's root, a user, a role, a session of a role or a federated user. */
export const isPrincipalArn = (text: string): boolean => isLastingPrincipalArn(text) || fits(text, SESSION);
