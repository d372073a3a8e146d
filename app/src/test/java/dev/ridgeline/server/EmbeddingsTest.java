package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** Vectors of texts, beside requests that generate. */
@Timeout(120)
class EmbeddingsTest {
  private static double[] vector(JsonNode embedding) {
    double[] v = new double[embedding.size()];
    for (int i = 0; i < v.length; i++) {
      v[i] = embedding.get(i).asDouble();
    }
    return v;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  @Test
  void textsBecomeVectorsOfLengthOneAndAlikeTextsAlikeVectors() {
    try (var server =
        TestServer.start(TestServer.settings(), o -> o.embeddings(true).batchTokens(16))) {
      String texts =
          "['The king rode out with his men.','The king rode out with his knights.','3 4 5 6 7 8"
              + " 9']";
      JsonNode answer = server.post("/v1/embeddings", "{'input':" + texts + "}").json();
      double[][] v = new double[3][];
      for (int i = 0; i < 3; i++) {
        v[i] = vector(answer.get("data").get(i).get("embedding"));
        assertThat(v[i]).hasSize(512);
        // 512 floats of relative error 2^-24 each
        assertThat(dot(v[i], v[i])).isCloseTo(1, within(1e-5));
      }
      assertThat(dot(v[0], v[1])).isGreaterThan(dot(v[0], v[2]));
      assertThat(answer.get("usage").get("prompt_tokens").asInt()).isPositive();

      String base64 =
          server
              .post("/v1/embeddings", "{'input':'3 4 5 6 7 8 9','encoding_format':'base64'}")
              .json()
              .get("data")
              .get(0)
              .get("embedding")
              .asString();
      float first =
          ByteBuffer.wrap(Base64.getDecoder().decode(base64))
              .order(ByteOrder.LITTLE_ENDIAN)
              .getFloat();
      assertThat((double) first).isEqualTo((float) v[2][0]);
      server.post("/v1/embeddings", "{'input':[]}").isError(400, "input", "found 0");
      server.post("/v1/embeddings", "{'input':[99999999]}").isError(400, "input", "0 to 16383");
      server
          .post("/v1/embeddings", "{'input':'" + "a b ".repeat(600) + "'}")
          .isError(400, "input", "that is the context");
    }
  }

  @Test
  void aServerWithoutThemSaysSo() {
    try (var server = TestServer.start()) {
      server.post("/v1/embeddings", "{'input':'a'}").isError(400, "", "--embeddings");
    }
  }
}
