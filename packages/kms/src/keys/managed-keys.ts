// AWS managed keys: the one that each service would use in an account. Their aliases are listed from the start; a key
// is made when its alias is first described. Only services use them, and none calls here, so everyone may look at them
// and do nothing else: their key policy says so. Source: AWS KMS Developer Guide, "AWS managed keys", and KMS API
// Reference, API_DescribeKey.

import { rootArn } from "../auth/principal-arn.ts";
import { MANAGED_ALIASES } from "./key-arn.ts";

/** Service, as its alias and its principal have it -> what its key protects. */
const SERVICES: Readonly<Record<string, string>> = {
  acm: "ACM private keys",
  backup: "backups",
  dynamodb: "DynamoDB tables",
  ebs: "EBS volumes",
  elasticfilesystem: "EFS file systems",
  es: "OpenSearch domains",
  fsx: "FSx resources",
  glue: "Glue data",
  kinesis: "Kinesis data streams",
  kinesisvideo: "Kinesis video streams",
  lambda: "Lambda functions",
  rds: "RDS databases",
  redshift: "Redshift clusters",
  s3: "S3 objects",
  secretsmanager: "Secrets Manager secrets",
  sns: "SNS topics",
  sqs: "SQS queues",
  ssm: "SSM parameters",
  workspaces: "WorkSpaces volumes",
  xray: "X-Ray data",
};

/** Every alias of an AWS managed key. */
export const MANAGED_ALIAS_NAMES: readonly string[] = Object.keys(SERVICES).map((service) => MANAGED_ALIASES + service);

/** What is special about the key behind such an alias; null for any other alias. */
export function managedKey(
  alias: string,
  region: string,
  account: string,
): { readonly description: string; readonly policy: string } | null {
  if (!MANAGED_ALIAS_NAMES.includes(alias)) return null;
  const service = alias.slice(MANAGED_ALIASES.length);
  const description = `Default key that protects my ${SERVICES[service] ?? ""} when no other key is defined`;
  const use = [
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:CreateGrant",
    "kms:DescribeKey",
  ];
  const policy = {
    Version: "2012-10-17",
    Id: `auto-${service}-1`,
    Statement: [
      {
        Sid: `Allow access through ${service} for all principals in the account that are authorized to use it`,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: use,
        Resource: "*",
        Condition: {
          StringEquals: { "kms:CallerAccount": account, "kms:ViaService": `${service}.${region}.amazonaws.com` },
        },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: rootArn(account) },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        Resource: "*",
      },
    ],
  };
  return { description, policy: JSON.stringify(policy, null, 2) };
}
