// What the KMS tests of other emulators expect and AWS does not do: for each suite, why a test fails, and which tests do.
// A name without parameters stands for all that the test is run with.

/** Why, and the tests. */
export type Differences = readonly (readonly [why: string, tests: readonly string[]])[];

export const MOTO: Differences = [
  [
    "the policy of its keys is 'my policy', which is no JSON",
    [
      "test_create_key_without_description",
      "test_create_key",
      "test_create_multi_region_key",
      "test_create_multi_region_configuration_key",
      "test_non_multi_region_keys_should_not_have_multi_region_properties",
      "test_replicate_key",
      "test_get_key_policy",
      "test_put_key_policy",
      "test_put_key_policy_using_alias_shouldnt_work",
      "test_alias_create_and_delete",
      "test_alias_create_and_update_with_arn",
      "test_create_grant",
      "test_list_grants",
      "test_list_retirable_grants",
      "test_revoke_grant",
      "test_revoke_grant_raises_when_grant_does_not_exist",
      "test_retire_grant_by_token",
      "test_retire_grant_by_grant_id",
      "test_rotate_key_on_demand_with_existing_key",
      "test_list_key_rotations_are_empty_on_new_key",
      "test_list_key_rotations_returns_one_rotation",
      "test_list_key_rotations_returns_truncated_and_next_marker",
      "test_list_key_rotations_pagination",
      "test_generate_mac",
      "test_generate_mac_supports_aliases_for_hmac_keys",
      "test_verify_mac",
      "test_verify_mac_fails_for_another_key_id",
    ],
  ],
  [
    "its policies would lock their author out, which AWS refuses",
    ["test_policy__deny_based_on_actions", "test_policy__allow_based_on_actions"],
  ],
  [
    "it makes keys whose usage does not go with their spec",
    ["test_generate_fails_for_invalid_key_usage", "test_generate_fails_for_invalid_key_spec"],
  ],
  [
    "it signs SHA-256 digests under every algorithm, and verifies as a message what was signed as a digest",
    [
      "test_sign_and_verify_digest_message_type_RSA",
      "test_fail_verify_digest_message_type_RSA[RSASSA_PSS_SHA_256-RSASSA_PSS_SHA_384]",
      "test_fail_verify_digest_message_type_RSA[RSASSA_PSS_SHA_256-RSASSA_PSS_SHA_512]",
      "test_fail_verify_digest_message_type_RSA[RSASSA_PSS_SHA_384-RSASSA_PSS_SHA_512]",
      "test_sign_and_verify_digest_message_type_ECDSA",
      "test_fail_verify_digest_message_type_ECDSA",
    ],
  ],
  [
    "AWS answers with the key's ARN, not with its id",
    ["test_schedule_key_deletion", "test_schedule_key_deletion_custom", "test_cancel_key_deletion"],
  ],
  [
    "AWS gives an alias its dates, and lists those of its own services too",
    [
      "test_list_aliases",
      "test_list_aliases_for_key_id",
      "test_list_aliases_for_key_arn",
      "test__create_alias__can_create_multiple_aliases_for_same_key_id",
      "test_get_public_key_with_alias",
    ],
  ],
  [
    "it tags keys that are to be deleted",
    ["test_tag_resource", "test_list_resource_tags", "test_list_resource_tags_with_arn"],
  ],
  [
    "AWS has InvalidKeyUsageException, KMSInvalidSignatureException and IncorrectKeyException",
    [
      "test_invalid_signing_algorithm_for_key_spec_type_ECDSA",
      "test_sign_invalid_key_usage",
      "test_verify_happy_with_invalid_signature",
      "test_decrypt_validates_key_id",
    ],
  ],
  [
    "AWS has other words",
    [
      "test_create_key_with_invalid_key_spec",
      "test_sign_invalid_signing_algorithm",
      "test_sign_invalid_message",
      "test_verify_invalid_signing_algorithm",
      "test_verify_invalid_message",
      "test_verify_empty_signature",
      "test_enable_key_rotation_with_alias_name_should_fail",
      "test_unknown_tag_methods",
      "test__create_alias__raises_if_wrong_prefix",
      "test__delete_alias__raises_if_wrong_prefix",
    ],
  ],
  ["it finds keys of another account in its own", ["test_generate_data_key_all_valid_key_ids"]],
];

export const MINISTACK: Differences = [
  ["policies without a statement", ["test_kms_create_symmetric_key", "test_kms_get_put_key_policy"]],
  [
    "it makes stacks of CloudFormation",
    [
      "test_kms_cloudformation_alias_resolves_by_name_and_arn",
      "test_kms_cloudformation_hmac_key_spec",
      "test_kms_cloudformation_honours_asymmetric_key_spec",
      "test_kms_cloudformation_rejects_mismatched_hmac_spec_and_usage",
    ],
  ],
  ["a header beside the error's type in the body", ["test_kms_describe_nonexistent_key"]],
  [
    "AWS has other words",
    [
      "test_kms_generate_data_key_pair_requires_symmetric_key",
      "test_kms_generate_data_key_pair_without_plaintext_requires_symmetric_key",
      "test_kms_ed25519_sha_512_rejects_non_raw_message_type",
    ],
  ],
  [
    "AWS leaves EncryptionAlgorithms out of a key that cannot encrypt",
    ["test_kms_create_ecc_secg_p256k1_key", "test_kms_create_ecc_nist_edwards25519_key"],
  ],
  [
    "an algorithm of AWS that it lacks",
    ["test_kms_ed25519_ph_sha_512_sign_returns_unsupported", "test_kms_ed25519_ph_sha_512_verify_returns_unsupported"],
  ],
  [
    "another order of checks: here a ciphertext is read, and the state looked at, before the usage",
    ["test_kms_hmac_key_rejected_by_non_mac_crypto_operations", "test_kms_encrypt_key_usage_precedes_key_state"],
  ],
  ["UnsupportedOperationException, as of every key without a public one", ["test_kms_hmac_key_has_no_public_key"]],
];

export const LOCALSTACK: Differences = [
  [
    "ids and material by tags: a seed gives them here",
    [
      "test_create_key_custom_id",
      "test_create_key_custom_key_material_hmac",
      "test_create_key_custom_key_material_symmetric_decrypt",
      "test_create_custom_key_asymmetric",
      "test_create_key_custom_key_material_rsa_2048",
    ],
  ],
  ["the ARN of a key as a principal, which AWS refuses as it says itself", ["test_list_retirable_grants"]],
  [
    "recorded before AWS gave KeyMaterialId",
    [
      "test_re_encrypt[SYMMETRIC_DEFAULT-SYMMETRIC_DEFAULT]",
      "test_generate_data_key",
      "test_generate_data_key_without_plaintext",
      "test_generate_data_key_pair",
      "test_generate_data_key_pair_without_plaintext",
    ],
  ],
  [
    "encrypted under OAEP with SHA-256, and decrypted with SHA-1",
    ["RSA_2048", "RSA_3072", "RSA_4096"].map(
      (spec) => `test_symmetric_encrypt_offline_decrypt_online[${spec}-RSAES_OAEP_SHA_1]`,
    ),
  ],
  ["recorded when AWS allowed ten rotations on demand; now it is 25", ["test_key_rotations_limits"]],
  [
    "the order in which AWS lists what is valid, and what it knew when that was recorded",
    [
      "test_hmac_create_key_invalid_operations",
      "test_invalid_generate_mac[HMAC_256-INVALID]",
      "test_invalid_verify_mac[HMAC_256-INVALID-some important message]",
    ],
  ],
  [
    "attestation documents of Nitro enclaves are refused",
    ["test_decrypt_recipient", "test_decrypt_recipient_invalid_attestation"],
  ],
  ["a public key of a symmetric key", ["test_cross_accounts_access"]],
];
