package dev.ridgeline.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ridgeline.os.CLibrary;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ZeroedMemoryTest {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 4095, 4096, 4097, 1_000_003})
  void itIsZeroWritableAndGoneWithItsArena(long bytes) {
    MemorySegment memory;
    try (Arena arena = Arena.ofShared()) {
      memory = ZeroedMemory.allocate(arena, bytes);
      assertThat(memory.byteSize()).isEqualTo(bytes);
      assertThat(memory.address() % 64).isZero();
      assertThat(memory.mismatch(MemorySegment.ofArray(new byte[(int) bytes]))).isEqualTo(-1);
      memory.fill((byte) 7);
    }
    assertThatThrownBy(() -> memory.fill((byte) 7)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void onlyWhatIsWrittenTakesRoom() throws IOException {
    assumeTrue(CLibrary.isUsable(), "needs Linux and --enable-native-access");
    try (Arena arena = Arena.ofShared()) {
      long before = residentBytes();
      MemorySegment memory = ZeroedMemory.allocate(arena, 1L << 30);
      memory.set(ValueLayout.JAVA_BYTE, 1L << 29, (byte) 1);
      assertThat(residentBytes() - before).isLessThan(1L << 28);
    }
  }

  private static long residentBytes() throws IOException {
    String[] pages = Files.readString(Path.of("/proc/self/statm")).split(" ", -1);
    return 4096 * Long.parseLong(pages[1]);
  }
}
