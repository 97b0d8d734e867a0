package strongroom.interop;

import com.amazonaws.encryptionsdk.AwsCrypto;
import com.amazonaws.encryptionsdk.CommitmentPolicy;
import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import com.amazonaws.encryptionsdk.CryptoResult;
import com.amazonaws.encryptionsdk.MasterKeyProvider;
import com.amazonaws.encryptionsdk.jce.JceMasterKey;
import com.amazonaws.encryptionsdk.kmssdkv2.KmsMasterKeyProvider;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.spec.SecretKeySpec;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kms.KmsClient;

/**
 * The AWS Encryption SDK for Java as a peer: reads a request a line from standard input, answers with a line on standard output.
 */
public final class Peer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, String> RSA_TRANSFORMATIONS =
      Map.of(
          "sha1", "RSA/ECB/OAEPWithSHA-1AndMGF1Padding",
          "sha256", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
          "sha384", "RSA/ECB/OAEPWithSHA-384AndMGF1Padding",
          "sha512", "RSA/ECB/OAEPWithSHA-512AndMGF1Padding");

  private final Map<JsonNode, MasterKeyProvider<?>> providers = new HashMap<>();

  public static void main(String[] args) throws Exception {
    final Peer peer = new Peer();
    final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(JSON.writeValueAsString(peer.answer(line)));
    }
  }

  private ObjectNode answer(String line) {
    try {
      final JsonNode request = JSON.readTree(line);
      return request.get("op").asText().equals("encrypt") ? encrypt(request) : decrypt(request);
    } catch (Exception error) {
      return JSON.createObjectNode().put("error", error.toString());
    }
  }

  private ObjectNode encrypt(JsonNode request) throws Exception {
    final int suite = request.get("suite").asInt();
    final AwsCrypto crypto =
        builderFor(request)
            .withEncryptionAlgorithm(suiteOf(suite))
            .withEncryptionFrameSize(request.get("frameLength").asInt())
            .build();
    final Map<String, String> context = JSON.convertValue(request.get("context"), new TypeReference<>() {});
    final CryptoResult<byte[], ?> result =
        crypto.encryptData(providerFor(request.get("keys")), base64(request, "plaintext"), context);
    return JSON.createObjectNode().put("message", Base64.getEncoder().encodeToString(result.getResult()));
  }

  private ObjectNode decrypt(JsonNode request) throws Exception {
    final CryptoResult<byte[], ?> result =
        builderFor(request).build().decryptData(providerFor(request.get("keys")), base64(request, "message"));
    final ObjectNode reply = JSON.createObjectNode();
    reply.put("plaintext", Base64.getEncoder().encodeToString(result.getResult()));
    reply.set("context", JSON.valueToTree(result.getEncryptionContext()));
    return reply;
  }

  private static AwsCrypto.Builder builderFor(JsonNode request) {
    return AwsCrypto.builder()
        .withCommitmentPolicy(
            request.get("committing").asBoolean()
                ? CommitmentPolicy.RequireEncryptRequireDecrypt
                : CommitmentPolicy.ForbidEncryptAllowDecrypt);
  }

  private static CryptoAlgorithm suiteOf(int id) {
    return Arrays.stream(CryptoAlgorithm.values())
        .filter(algorithm -> (algorithm.getValue() & 0xffff) == id)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no suite " + Integer.toHexString(id)));
  }

  private MasterKeyProvider<?> providerFor(JsonNode keys) throws Exception {
    if (!providers.containsKey(keys)) {
      providers.put(keys, makeProvider(keys));
    }
    return providers.get(keys);
  }

  private static MasterKeyProvider<?> makeProvider(JsonNode keys) throws Exception {
    switch (keys.get("kind").asText()) {
      case "raw-aes":
        return JceMasterKey.getInstance(
            new SecretKeySpec(base64(keys, "key"), "AES"), text(keys, "namespace"), text(keys, "name"), "AES/GCM/NoPadding");
      case "raw-rsa":
        final KeyFactory factory = KeyFactory.getInstance("RSA");
        return JceMasterKey.getInstance(
            factory.generatePublic(new X509EncodedKeySpec(pem(keys, "publicKey"))),
            factory.generatePrivate(new PKCS8EncodedKeySpec(pem(keys, "privateKey"))),
            text(keys, "namespace"),
            text(keys, "name"),
            RSA_TRANSFORMATIONS.get(text(keys, "hash")));
      case "kms":
        final Map<Region, KmsClient> clients = new HashMap<>();
        final List<String> keyArns = new ArrayList<>();
        for (JsonNode key : keys.get("keys")) {
          clients.put(Region.of(text(key, "region")), clientFor(keys, key));
          keyArns.add(text(key, "keyArn"));
        }
        return KmsMasterKeyProvider.builder().customRegionalClientSupplier(clients::get).buildStrict(keyArns);
      default:
        throw new IllegalArgumentException("no such keys: " + text(keys, "kind"));
    }
  }

  private static KmsClient clientFor(JsonNode credentials, JsonNode key) {
    return KmsClient.builder()
        .region(Region.of(text(key, "region")))
        .endpointOverride(URI.create(text(key, "endpoint")))
        .credentialsProvider(
            StaticCredentialsProvider.create(
                AwsBasicCredentials.create(text(credentials, "accessKeyId"), text(credentials, "secretAccessKey"))))
        .build();
  }

  private static String text(JsonNode node, String field) {
    return node.get(field).asText();
  }

  private static byte[] base64(JsonNode node, String field) {
    return Base64.getDecoder().decode(text(node, field));
  }

  private static byte[] pem(JsonNode node, String field) {
    return Base64.getDecoder().decode(text(node, field).replaceAll("-----[A-Z ]+-----|\\s", ""));
  }
}
