"""What a Python program does with AWS KMS, with boto3 unchanged: only the endpoint is another. Ends with 0 if all holds."""

import datetime
import hashlib
import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

kms = boto3.client("kms", config=Config(retries={"max_attempts": 1}))
done = []


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} was expected")


def step(function):
    function()
    done.append(function.__name__)


@step
def keys_and_aliases():
    key = kms.create_key(Description="orders", Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]
    assert key["KeyState"] == "Enabled" and isinstance(key["CreationDate"], datetime.datetime)
    kms.create_alias(AliasName="alias/orders", TargetKeyId=key["KeyId"])
    assert kms.describe_key(KeyId="alias/orders")["KeyMetadata"]["Arn"] == key["Arn"]
    for number in range(7):
        kms.create_alias(AliasName=f"alias/page-{number}", TargetKeyId=key["KeyId"])
    pages = list(kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 3}))
    names = [alias["AliasName"] for page in pages for alias in page["Aliases"]]
    assert len(pages) > 1 and {"alias/orders", "alias/page-6"} <= set(names), names
    other = kms.create_key()["KeyMetadata"]
    kms.update_alias(AliasName="alias/page-0", TargetKeyId=other["KeyId"])
    assert kms.describe_key(KeyId="alias/page-0")["KeyMetadata"]["Arn"] == other["Arn"]
    kms.delete_alias(AliasName="alias/page-0")
    refused("NotFoundException", kms.describe_key, KeyId="alias/page-0")
    assert any(one["KeyId"] == other["KeyId"] for page in kms.get_paginator("list_keys").paginate() for one in page["Keys"])


@step
def data_keys_and_encryption():
    context = {"people": "42", "zähler": "ü"}
    made = kms.generate_data_key(KeyId="alias/orders", KeySpec="AES_256", EncryptionContext=context)
    assert len(made["Plaintext"]) == 32
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)["Plaintext"] == made["Plaintext"]
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"people": "43"})
    assert "Plaintext" not in kms.generate_data_key_without_plaintext(KeyId="alias/orders", NumberOfBytes=64)
    sealed = kms.encrypt(KeyId="alias/orders", Plaintext=b"x" * 4096, EncryptionContext=context)
    target = kms.create_key()["KeyMetadata"]["KeyId"]
    moved = kms.re_encrypt(CiphertextBlob=sealed["CiphertextBlob"], SourceEncryptionContext=context, DestinationKeyId=target)
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=target)["Plaintext"] == b"x" * 4096
    pair = kms.generate_data_key_pair(KeyId="alias/orders", KeyPairSpec="ECC_NIST_P256")
    assert kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"] == pair["PrivateKeyPlaintext"]
    assert len(kms.generate_random(NumberOfBytes=24)["Plaintext"]) == 24


@step
def signatures_and_macs():
    for spec, algorithm in (("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P384", "ECDSA_SHA_384")):
        key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        signature = kms.sign(KeyId=key, Message=b"hello", SigningAlgorithm=algorithm)["Signature"]
        assert kms.verify(KeyId=key, Message=b"hello", Signature=signature, SigningAlgorithm=algorithm)["SignatureValid"]
        refused("KMSInvalidSignatureException", kms.verify, KeyId=key, Message=b"hallo", Signature=signature, SigningAlgorithm=algorithm)
        assert kms.get_public_key(KeyId=key)["SigningAlgorithms"]
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    digest = hashlib.sha256(b"hello").digest()
    signature = kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["Signature"]
    assert kms.verify(KeyId=key, Message=b"hello", Signature=signature, SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["SignatureValid"]
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    mac = kms.generate_mac(KeyId=key, Message=b"hello", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert kms.verify_mac(KeyId=key, Message=b"hello", Mac=mac, MacAlgorithm="HMAC_SHA_256")["MacValid"]


@step
def what_terraform_asks():
    key = kms.create_key(Description="managed")["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"][0]["Sid"] = "changed"
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    assert "changed" in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "a", "TagValue": "1"}]
    kms.untag_resource(KeyId=key, TagKeys=["a"])
    assert kms.list_aliases(KeyId=key)["Aliases"] == []
    kms.update_key_description(KeyId=key, Description="changed")
    kms.disable_key(KeyId=key)
    refused("DisabledException", kms.encrypt, KeyId=key, Plaintext=b"x")
    kms.enable_key(KeyId=key)
    gone = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert isinstance(gone["DeletionDate"], datetime.datetime)
    refused("KMSInvalidStateException", kms.encrypt, KeyId=key, Plaintext=b"x")
    kms.cancel_key_deletion(KeyId=key)


@step
def grants():
    user = f"arn:aws:iam::{os.environ['ACCOUNT']}:user/ann"
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    grant = kms.create_grant(KeyId=key, GranteePrincipal=user, Operations=["Decrypt"], Constraints={"EncryptionContextSubset": {"a": "1"}})
    assert [one["GrantId"] for one in kms.list_grants(KeyId=key)["Grants"]] == [grant["GrantId"]]
    kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []


@step
def wrong_signature():
    stranger = boto3.client("kms", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="not the secret", config=Config(retries={"max_attempts": 1}))
    refused("InvalidSignatureException", stranger.list_keys)


print(" ".join(done))
