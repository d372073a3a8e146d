package dev.ridgeline.server;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An assistant's message as it grows. */
final class ChatAnswer {
  private final Delta.Reader reader;
  private final StringBuilder content = new StringBuilder();
  private final StringBuilder reasoning = new StringBuilder();
  private final List<Call> calls = new ArrayList<>();
  private boolean finished;

  /** A call with the JSON text of its arguments. */
  record Call(String id, String name, StringBuilder arguments) {}

  ChatAnswer(Delta.Reader reader) {
    this.reader = reader;
  }

  List<Delta> accept(String text) {
    return take(reader.accept(text));
  }

  /** The text is over. */
  List<Delta> finish() {
    if (finished) {
      return List.of();
    }
    finished = true;
    return take(reader.finish());
  }

  private List<Delta> take(List<Delta> deltas) {
    for (Delta delta : deltas) {
      switch (delta) {
        case Delta.Content d -> content.append(d.text());
        case Delta.Reasoning d -> reasoning.append(d.text());
        case Delta.Call d -> calls.add(new Call(d.id(), d.name(), new StringBuilder()));
        case Delta.Arguments d -> calls.get(d.index()).arguments.append(d.json());
      }
    }
    return deltas;
  }

  boolean hasCalls() {
    return !calls.isEmpty();
  }

  List<Call> calls() {
    return calls;
  }

  String content() {
    return content.toString();
  }

  String reasoning() {
    return reasoning.toString();
  }

  /** The message as OpenAI's chat API writes it. */
  ChatEndpoint.Message message() {
    @Nullable List<ChatEndpoint.ToolCall> toolCalls =
        calls.isEmpty()
            ? null
            : calls.stream()
                .map(
                    c ->
                        new ChatEndpoint.ToolCall(
                            null,
                            c.id,
                            "function",
                            new ChatEndpoint.ToolCall.Function(c.name, c.arguments.toString())))
                .toList();
    return new ChatEndpoint.Message(
        "assistant",
        content.isEmpty() && hasCalls() ? null : content.toString(),
        reasoning.isEmpty() ? null : reasoning.toString(),
        toolCalls);
  }
}
