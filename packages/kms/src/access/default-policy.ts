// The key policy of a key that was made without one. Source: AWS KMS Developer Guide, "Default key policy".

/** Leaves it to the account, and so to its identity policies, who may use the key. */
export function defaultKeyPolicy(account: string): string {
  const policy = {
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  };
  return JSON.stringify(policy, null, 2);
}
