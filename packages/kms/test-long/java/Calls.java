import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.AliasListEntry;
import software.amazon.awssdk.services.kms.model.DataKeySpec;
import software.amazon.awssdk.services.kms.model.DisabledException;
import software.amazon.awssdk.services.kms.model.InvalidCiphertextException;
import software.amazon.awssdk.services.kms.model.KeyMetadata;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyState;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.KmsInvalidMacException;
import software.amazon.awssdk.services.kms.model.KmsInvalidSignatureException;
import software.amazon.awssdk.services.kms.model.MacAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.NotFoundException;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.Tag;

/** What a Java program does with AWS KMS, with the AWS SDK for Java 2 unchanged: only the endpoint is another. Ends with 0 if all holds. */
final class Calls {
  private static final SdkBytes MESSAGE = SdkBytes.fromString("a message", StandardCharsets.UTF_8);
  private static final SdkBytes OTHER = SdkBytes.fromString("another", StandardCharsets.UTF_8);
  private static final List<String> DONE = new ArrayList<>();

  public static void main(String[] arguments) {
    try (KmsClient kms = KmsClient.builder().endpointOverride(URI.create(System.getenv("AWS_ENDPOINT_URL"))).build()) {
      String keyId = keysAndAliases(kms);
      dataKeysAndEncryption(kms, keyId);
      signaturesAndMacs(kms);
      whatTerraformAsks(kms, keyId);
      states(kms, keyId);
    }
    System.out.println(String.join(" ", DONE));
  }

  private static String keysAndAliases(KmsClient kms) {
    KeyMetadata key = kms.createKey(request -> request.description("orders").tags(Tag.builder().tagKey("team").tagValue("a").build())).keyMetadata();
    holds(key.keyState() == KeyState.ENABLED && key.creationDate() != null);
    for (int number = 0; number < 7; number++) {
      String name = "alias/page-" + number;
      kms.createAlias(request -> request.aliasName(name).targetKeyId(key.keyId()));
    }
    holds(kms.describeKey(request -> request.keyId("alias/page-0")).keyMetadata().arn().equals(key.arn()));
    List<String> names = kms.listAliasesPaginator(request -> request.limit(3)).aliases().stream().map(AliasListEntry::aliasName).toList();
    holds(names.contains("alias/page-0") && names.contains("alias/page-6"));
    kms.deleteAlias(request -> request.aliasName("alias/page-0"));
    refused(NotFoundException.class, () -> kms.describeKey(request -> request.keyId("alias/page-0")));
    DONE.add("keysAndAliases");
    return key.keyId();
  }

  private static void dataKeysAndEncryption(KmsClient kms, String keyId) {
    Map<String, String> context = Map.of("people", "42", "zähler", "ü");
    var made = kms.generateDataKey(request -> request.keyId(keyId).keySpec(DataKeySpec.AES_256).encryptionContext(context));
    holds(made.plaintext().asByteArray().length == 32);
    holds(kms.decrypt(request -> request.ciphertextBlob(made.ciphertextBlob()).encryptionContext(context)).plaintext().equals(made.plaintext()));
    refused(InvalidCiphertextException.class, () -> kms.decrypt(request -> request.ciphertextBlob(made.ciphertextBlob()).encryptionContext(Map.of("people", "43"))));
    SdkBytes most = SdkBytes.fromByteArray(new byte[4096]);
    var sealed = kms.encrypt(request -> request.keyId(keyId).plaintext(most));
    holds(kms.decrypt(request -> request.ciphertextBlob(sealed.ciphertextBlob())).plaintext().equals(most));
    refused(KmsException.class, () -> kms.encrypt(request -> request.keyId(keyId).plaintext(SdkBytes.fromByteArray(new byte[4097]))));
    DONE.add("dataKeysAndEncryption");
  }

  private static void signaturesAndMacs(KmsClient kms) {
    String signer = kms.createKey(request -> request.keySpec(KeySpec.ECC_NIST_P384).keyUsage(KeyUsageType.SIGN_VERIFY)).keyMetadata().keyId();
    SdkBytes signature = kms.sign(request -> request.keyId(signer).message(MESSAGE).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_384)).signature();
    holds(kms.verify(request -> request.keyId(signer).message(MESSAGE).signature(signature).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_384)).signatureValid());
    refused(KmsInvalidSignatureException.class, () -> kms.verify(request -> request.keyId(signer).message(OTHER).signature(signature).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_384)));
    String maker = kms.createKey(request -> request.keySpec(KeySpec.HMAC_256).keyUsage(KeyUsageType.GENERATE_VERIFY_MAC)).keyMetadata().keyId();
    SdkBytes mac = kms.generateMac(request -> request.keyId(maker).message(MESSAGE).macAlgorithm(MacAlgorithmSpec.HMAC_SHA_256)).mac();
    holds(kms.verifyMac(request -> request.keyId(maker).message(MESSAGE).mac(mac).macAlgorithm(MacAlgorithmSpec.HMAC_SHA_256)).macValid());
    refused(KmsInvalidMacException.class, () -> kms.verifyMac(request -> request.keyId(maker).message(OTHER).mac(mac).macAlgorithm(MacAlgorithmSpec.HMAC_SHA_256)));
    DONE.add("signaturesAndMacs");
  }

  /** Create, then describe, policy, rotation, tags and aliases, as Terraform's provider reads a key back. */
  private static void whatTerraformAsks(KmsClient kms, String keyId) {
    kms.enableKeyRotation(request -> request.keyId(keyId));
    holds(kms.getKeyRotationStatus(request -> request.keyId(keyId)).keyRotationEnabled());
    holds(kms.getKeyPolicy(request -> request.keyId(keyId).policyName("default")).policy().contains("kms:*"));
    holds(kms.listResourceTags(request -> request.keyId(keyId)).tags().get(0).tagValue().equals("a"));
    holds(kms.listAliases(request -> request.keyId(keyId)).aliases().size() == 6);
    DONE.add("whatTerraformAsks");
  }

  private static void states(KmsClient kms, String keyId) {
    kms.disableKey(request -> request.keyId(keyId));
    refused(DisabledException.class, () -> kms.encrypt(request -> request.keyId(keyId).plaintext(MESSAGE)));
    kms.scheduleKeyDeletion(request -> request.keyId(keyId).pendingWindowInDays(7));
    holds(kms.describeKey(request -> request.keyId(keyId)).keyMetadata().keyState() == KeyState.PENDING_DELETION);
    DONE.add("states");
  }

  private static void holds(boolean claim) {
    if (!claim) throw new AssertionError();
  }

  private static void refused(Class<? extends KmsException> kind, Runnable call) {
    try {
      call.run();
    } catch (KmsException error) {
      if (kind.isInstance(error) && error.statusCode() == 400) return;
      throw error;
    }
    throw new AssertionError(kind.getSimpleName() + " was expected");
  }
}
