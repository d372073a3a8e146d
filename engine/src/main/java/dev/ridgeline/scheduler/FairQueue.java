package dev.ridgeline.scheduler;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Requests without a place in the batch. The most urgent goes first; among those the ones that were
 * preempted; then one of the client that was served the fewest tokens (the virtual token counter of
 * Sheng et al., "Fairness in serving large language models", OSDI 2024); then the oldest.
 */
final class FairQueue {
  /** The account of sequences that were never queued. */
  static final Client NOBODY = new Client(0);

  private final List<Sequence> waiting = new ArrayList<>();
  private final Map<String, Client> clients = new HashMap<>();

  /** Tokens that a client was served while it had requests. */
  static final class Client {
    long served;
    private int requests;

    private Client(long served) {
      this.served = served;
    }
  }

  /** A new request. A client that comes (back) starts level with the least served one. */
  void add(Sequence sequence) {
    String name = sequence.params.scheduling().client();
    Client client = clients.get(name);
    if (client == null) {
      long least = clients.values().stream().mapToLong(c -> c.served).min().orElse(0);
      client = new Client(least);
      clients.put(name, client);
    }
    client.requests++;
    sequence.client = client;
    waiting.add(sequence);
  }

  /** A request that has lost its place. */
  void requeue(Sequence sequence) {
    waiting.add(sequence);
  }

  /** Forgets a request that is over. */
  void leave(Sequence sequence) {
    waiting.remove(sequence);
    if (--sequence.client.requests == 0) {
      clients.remove(sequence.params.scheduling().client());
    }
  }

  /** Who goes next, if anybody waits. */
  @Nullable Sequence first() {
    Sequence first = null;
    for (int i = 0; i < waiting.size(); i++) {
      Sequence s = waiting.get(i);
      first = first == null || isBefore(s, first) ? s : first;
    }
    return first;
  }

  /** Gives the place that {@link #first} was waiting for. */
  void admit(Sequence sequence) {
    waiting.remove(sequence);
  }

  List<Sequence> waiting() {
    return waiting;
  }

  private static boolean isBefore(Sequence a, Sequence b) {
    int urgency =
        Integer.compare(a.params.scheduling().priority(), b.params.scheduling().priority());
    if (urgency != 0) {
      return urgency < 0;
    }
    if (a.preemptions > 0 != b.preemptions > 0) {
      return a.preemptions > 0;
    }
    int service = Long.compare(a.client.served, b.client.served);
    return (service != 0 && a.preemptions == 0) ? service < 0 : a.arrival < b.arrival;
  }
}
