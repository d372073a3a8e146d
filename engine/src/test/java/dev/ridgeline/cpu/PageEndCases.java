package dev.ridgeline.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.ZeroedMemory;
import dev.ridgeline.os.CLibrary;
import dev.ridgeline.tensor.Tensor;
import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.OpCases;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs every op case with its weights at the end of readable memory, and names each before it does.
 */
final class PageEndCases {
  /** What each line with a case's name starts with. */
  static final String CASE = "case ";

  private static final long PAGE_BYTES = 4096;
  private static final int PROT_NONE = 0;
  private static final Mprotect MPROTECT =
      CLibrary.function(
          Mprotect.class,
          "mprotect",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

  /** {@code int mprotect(void *address, size_t length, int protection)}. */
  public interface Mprotect {
    int call(MemorySegment address, long length, int protection);
  }

  private PageEndCases() {}

  public static void main(String[] args) {
    List<Backend> backends = new ArrayList<>(List.of(Widths.backends(1)));
    backends.add(new CpuProvider().open(new BackendOptions(1, 0)));
    for (OpCase c : OpCases.all().toList()) {
      OpCase.Setup setup = c.setup();
      for (Backend backend : backends) {
        System.out.println(CASE + c.name() + " on " + backend.description());
        try (Arena arena = Arena.ofShared()) {
          run(backend, guarded(setup, arena));
        }
      }
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static OpCase.Setup guarded(OpCase.Setup setup, Arena arena) {
    Map<String, Tensor> tensors = new HashMap<>();
    setup
        .tensors()
        .forEach(
            (name, t) ->
                tensors.put(
                    name, new Tensor(t.name(), t.type(), t.shape(), atPageEnd(t.data(), arena))));
    return new OpCase.Setup(
        setup.graph(), tensors, setup.capacity(), setup.passes(), setup.bound());
  }

  private static MemorySegment atPageEnd(MemorySegment data, Arena arena) {
    long room = Math.ceilDiv(data.byteSize(), PAGE_BYTES) * PAGE_BYTES;
    MemorySegment all = ZeroedMemory.allocate(arena, room + PAGE_BYTES);
    if (MPROTECT.call(all.asSlice(room), PAGE_BYTES, PROT_NONE) != 0) {
      throw new IllegalStateException("mprotect failed");
    }
    return all.asSlice(room - data.byteSize(), data.byteSize()).copyFrom(data);
  }

  private static void run(Backend backend, OpCase.Setup setup) {
    try (Executable executable = backend.compile(setup.graph(), setup::tensor, setup.capacity())) {
      var step = new Step(setup.capacity());
      for (int pass = 0; pass < setup.passes().size(); pass++) {
        setup.fill(step, pass);
        executable.run(step);
      }
    }
  }
}
