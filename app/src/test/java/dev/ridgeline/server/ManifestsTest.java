package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.ridgeline.cli.HelpOf;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1Secret;
import io.kubernetes.client.openapi.models.V1Service;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The files in deploy/: known to Kubernetes, and agreeing with each other and with the server. */
class ManifestsTest {
  private static final Path DEPLOY = Path.of("../deploy");

  private static List<JsonObject> documents(String file) throws IOException {
    var all = new ArrayList<JsonObject>();
    String text = Files.readString(DEPLOY.resolve(file));
    for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(text)) {
      all.add(new Gson().toJsonTree(document).getAsJsonObject());
    }
    return all;
  }

  private static JsonObject one(List<JsonObject> documents, String kind) {
    return documents.stream()
        .filter(d -> d.get("kind").getAsString().equals(kind))
        .findFirst()
        .orElseThrow();
  }

  private static JsonElement at(JsonElement from, String path) {
    JsonElement at = from;
    for (String step : path.split("\\.", -1)) {
      at =
          step.matches("\\d+")
              ? at.getAsJsonArray().get(Integer.parseInt(step))
              : at.getAsJsonObject().get(step);
    }
    return at;
  }

  private static void check(JsonObject document) throws IOException {
    String kind = document.get("kind").getAsString();
    switch (kind) {
      case "Secret" -> V1Secret.validateJsonElement(document);
      case "Deployment" -> V1Deployment.validateJsonElement(document);
      case "Service" -> V1Service.validateJsonElement(document);
      case "PodDisruptionBudget" -> V1PodDisruptionBudget.validateJsonElement(document);
      default -> throw new AssertionError("no check for " + kind);
    }
  }

  @Test
  void kubernetesKnowsEveryField() throws IOException {
    List<JsonObject> documents = documents("kubernetes/ridgeline.yaml");
    assertThat(documents).hasSize(4);
    for (JsonObject document : documents) {
      check(document);
    }
    // The check can fail.
    JsonObject deployment = one(documents, "Deployment");
    at(deployment, "spec.template.spec.containers.0.readinessProbe")
        .getAsJsonObject()
        .addProperty("periodSecond", 2);
    assertThatThrownBy(() -> check(deployment)).hasMessageContaining("periodSecond");
  }

  @Test
  void theManifestsAgreeWithEachOtherAndWithTheServer() throws IOException {
    List<JsonObject> documents = documents("kubernetes/ridgeline.yaml");
    JsonElement pod = at(one(documents, "Deployment"), "spec.template");
    JsonElement container = at(pod, "spec.containers.0");
    JsonElement labels = at(pod, "metadata.labels");
    assertThat(at(one(documents, "Service"), "spec.selector")).isEqualTo(labels);
    JsonObject pool = one(documents("kubernetes/inference-pool.yaml"), "InferencePool");
    assertThat(at(pool, "spec.selector.matchLabels")).isEqualTo(labels);
    assertThat(at(pool, "spec.targetPorts.0.number").getAsInt())
        .isEqualTo(at(container, "ports.0.containerPort").getAsInt());

    var args = new ArrayList<String>();
    at(container, "args").getAsJsonArray().forEach(a -> args.add(a.getAsString()));
    String help = HelpOf.command(args.getFirst());
    assertThat(args.stream().filter(a -> a.startsWith("-")))
        .allSatisfy(option -> assertThat(help).contains(option));
    int drain = Integer.parseInt(args.get(args.indexOf("--drain") + 1));
    int before = at(container, "lifecycle.preStop.sleep.seconds").getAsInt();
    assertThat(at(pod, "spec.terminationGracePeriodSeconds").getAsInt())
        .isGreaterThan(drain + before);

    try (var server = TestServer.start()) {
      for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
        String path = at(container, probe + ".httpGet.path").getAsString();
        assertThat(server.get(path).status()).as(path).isEqualTo(200);
      }
    }
  }

  @Test
  void theRoutersFilesHaveTheFormThatItReads() throws IOException {
    for (JsonElement endpoint :
        documents("llm-d/endpoints.yaml").getFirst().get("endpoints").getAsJsonArray()) {
      assertThat(at(endpoint, "address").getAsString()).matches("\\d+(\\.\\d+){3}");
      assertThat(at(endpoint, "port").getAsJsonPrimitive().isString()).isTrue();
    }
    JsonObject config = documents("llm-d/config.yaml").getFirst();
    var names = new ArrayList<String>();
    for (JsonElement plugin : config.get("plugins").getAsJsonArray()) {
      JsonObject p = plugin.getAsJsonObject();
      names.add(p.get(p.has("name") ? "name" : "type").getAsString());
    }
    for (JsonElement used : at(config, "schedulingProfiles.0.plugins").getAsJsonArray()) {
      assertThat(names).contains(at(used, "pluginRef").getAsString());
    }
    assertThat(names)
        .contains(
            at(config, "dataLayer.discovery.endpoints.pluginRef").getAsString(),
            at(config, "dataLayer.sources.0.pluginRef").getAsString(),
            at(config, "dataLayer.sources.0.extractors.0.pluginRef").getAsString());
  }
}
