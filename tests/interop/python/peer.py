"""The AWS Encryption SDK for Python as a peer: reads a request a line from standard input, answers with a line on standard output."""

import base64
import json
import sys
import warnings

import aws_encryption_sdk
import botocore.session
import boto3
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.kms import StrictAwsKmsMasterKeyProvider
from aws_encryption_sdk.key_providers.raw import RawMasterKey

AES = {
    16: WrappingAlgorithm.AES_128_GCM_IV12_TAG16_NO_PADDING,
    24: WrappingAlgorithm.AES_192_GCM_IV12_TAG16_NO_PADDING,
    32: WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
}
RSA = {
    "sha1": WrappingAlgorithm.RSA_OAEP_SHA1_MGF1,
    "sha256": WrappingAlgorithm.RSA_OAEP_SHA256_MGF1,
    "sha384": WrappingAlgorithm.RSA_OAEP_SHA384_MGF1,
    "sha512": WrappingAlgorithm.RSA_OAEP_SHA512_MGF1,
}


def raw_aes(keys, _operation):
    key = base64.b64decode(keys["key"])
    wrapping = WrappingKey(AES[len(key)], key, EncryptionKeyType.SYMMETRIC)
    return RawMasterKey(provider_id=keys["namespace"], key_id=keys["name"], wrapping_key=wrapping)


def raw_rsa(keys, operation):
    if operation == "encrypt":
        wrapping = WrappingKey(RSA[keys["hash"]], keys["publicKey"].encode(), EncryptionKeyType.PUBLIC)
    else:
        wrapping = WrappingKey(RSA[keys["hash"]], keys["privateKey"].encode(), EncryptionKeyType.PRIVATE)
    return RawMasterKey(provider_id=keys["namespace"], key_id=keys["name"], wrapping_key=wrapping)


class LocalKmsProvider(StrictAwsKmsMasterKeyProvider):
    """The strict provider, its clients pointed at the endpoints that came with the keys."""

    endpoints = {}

    def add_regional_client(self, region_name):
        if region_name not in self._regional_clients:
            session = boto3.session.Session(botocore_session=self.config.botocore_session)
            self._regional_clients[region_name] = session.client("kms", region_name=region_name, endpoint_url=self.endpoints[region_name])


def kms(keys, _operation):
    session = botocore.session.Session()
    session.set_credentials(keys["accessKeyId"], keys["secretAccessKey"])
    # The provider makes its clients while it is constructed, so the endpoints have to be there before.
    endpoints = {key["region"]: key["endpoint"] for key in keys["keys"]}
    provider_class = type("Provider", (LocalKmsProvider,), {"endpoints": endpoints})
    return provider_class(key_ids=[key["keyArn"] for key in keys["keys"]], botocore_session=session)


PROVIDERS = {"raw-aes": raw_aes, "raw-rsa": raw_rsa, "kms": kms}
CACHED = {}


def provider_for(keys, operation):
    name = json.dumps([keys, operation], sort_keys=True)
    if name not in CACHED:
        CACHED[name] = PROVIDERS[keys["kind"]](keys, operation)
    return CACHED[name]


CLIENTS = {
    True: aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT),
    False: aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT),
}


def encrypt(request):
    message, _ = CLIENTS[request["committing"]].encrypt(
        source=base64.b64decode(request["plaintext"]),
        key_provider=provider_for(request["keys"], "encrypt"),
        encryption_context=request["context"],
        algorithm=AlgorithmSuite.get_by_id(request["suite"]),
        frame_length=request["frameLength"],
    )
    return {"message": base64.b64encode(message).decode()}


def decrypt(request):
    plaintext, header = CLIENTS[request["committing"]].decrypt(
        source=base64.b64decode(request["message"]),
        key_provider=provider_for(request["keys"], "decrypt"),
    )
    return {"plaintext": base64.b64encode(plaintext).decode(), "context": header.encryption_context}


OPERATIONS = {"encrypt": encrypt, "decrypt": decrypt}


def main():
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        try:
            request = json.loads(line)
            reply = OPERATIONS[request["op"]](request)
        except Exception as error:  # pylint: disable=broad-except
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


main()
