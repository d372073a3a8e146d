package dev.ridgeline.kvcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.Step;
import dev.ridgeline.kvcache.KvCache.Group;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class KvCacheTest {
  private static final int BLOCK = 4;

  private static KvCache cache(Group... groups) {
    return new KvCache(BLOCK, List.of(groups));
  }

  private static int[] text(int length) {
    int[] tokens = new int[length];
    Arrays.setAll(tokens, i -> i * 7 % 11);
    return tokens;
  }

  /** A sequence of {@code tokens}, all stored. */
  private static BlockTable stored(KvCache cache, int[] tokens) {
    BlockTable table = cache.newTable();
    cache.reuse(table, 0, tokens, tokens.length - 1);
    assertThat(cache.reserve(table, tokens.length)).isTrue();
    cache.commit(table, tokens, tokens.length);
    return table;
  }

  @Test
  void freedEntriesAreWrittenAsBackendsReadThem() {
    assertThat(KvCache.FREED).isEqualTo(Step.FREED);
  }

  @Test
  void aPrefixIsFoundInWholeBlocksBelowTheLimit() {
    KvCache cache = cache(new Group(0, 20, 20));
    cache.release(stored(cache, text(16)));
    assertThat(cache.reuse(cache.newTable(), 0, text(16), 15)).isEqualTo(12);
    assertThat(cache.reuse(cache.newTable(), 0, text(16), 16)).isEqualTo(16);
    assertThat(cache.reuse(cache.newTable(), 1, text(16), 16)).as("another salt").isZero();
    int[] other = text(16);
    other[5]++;
    assertThat(cache.reuse(cache.newTable(), 0, other, 16)).isEqualTo(4);
  }

  @Test
  void aRunningSequenceSharesItsBlocks() {
    KvCache cache = cache(new Group(0, 4, 4));
    BlockTable first = stored(cache, text(12));
    BlockTable second = cache.newTable();
    assertThat(cache.reuse(second, 0, text(12), 11)).isEqualTo(8);
    assertThat(second.ofGroups()[0][1]).isEqualTo(first.ofGroups()[0][1]);
    assertThat(cache.inUse(0)).isEqualTo(3);
    assertThat(cache.reserve(second, 12)).isTrue();
    assertThat(cache.reserve(second, 13)).isFalse();
    cache.release(first);
    assertThat(cache.cached(0)).isEqualTo(1);
    assertThat(cache.reserve(second, 13)).as("by evicting the first one's end").isTrue();
    assertThat(cache.inUse(0)).isEqualTo(4);
  }

  @Test
  void theLeastRecentlyUsedPrefixIsEvictedFromItsEnd() {
    KvCache cache = cache(new Group(0, 6, 6));
    int[] one = text(9);
    int[] two = {9, 9, 9, 9, 8, 8, 8, 8, 7};
    cache.release(stored(cache, one));
    cache.release(stored(cache, two));
    cache.release(stored(cache, one)); // now two is the older one
    BlockTable big = cache.newTable();
    assertThat(cache.reserve(big, 3 * BLOCK)).isTrue();
    assertThat(cache.reuse(cache.newTable(), 0, two, 8)).isEqualTo(4);
    assertThat(cache.reuse(cache.newTable(), 0, one, 8)).isEqualTo(8);
    assertThat(cache.evictions()).isEqualTo(1);
  }

  @Test
  void noMoreIsCachedThanAllowed() {
    KvCache cache = cache(new Group(0, 20, 3));
    cache.release(stored(cache, text(40)));
    assertThat(cache.cached(0)).isEqualTo(3);
    assertThat(cache.reuse(cache.newTable(), 0, text(40), 40)).isEqualTo(12);
  }

  @Test
  void aLimitOfZeroCachesNothing() {
    KvCache cache = cache(new Group(0, 20, 0));
    cache.release(stored(cache, text(40)));
    assertThat(cache.cached(0)).isZero();
    assertThat(cache.nodes()).isZero();
    assertThat(cache.reuse(cache.newTable(), 0, text(40), 40)).isZero();
  }

  @Test
  void blocksThatLeaveTheWindowAreGivenBack() {
    KvCache cache = cache(new Group(0, 20, 0), new Group(6, 20, 0));
    int[] tokens = text(40);
    BlockTable table = cache.newTable();
    for (int count = 1; count <= 40; count++) {
      assertThat(cache.reserve(table, count)).isTrue();
      cache.commit(table, tokens, count);
      // The next token, at position count, sees positions count - 5 to count.
      int firstSeen = Math.max(0, count - 5) / BLOCK;
      for (int i = 0; i * BLOCK < count; i++) {
        assertThat(table.ofGroups()[1][i] == KvCache.FREED).isEqualTo(i < firstSeen);
      }
      assertThat(cache.inUse(1)).isEqualTo((count + BLOCK - 1) / BLOCK - firstSeen);
    }
    assertThat(cache.inUse(0)).isEqualTo(10);
  }

  @Test
  void aHitNeedsEveryWindowedBlockThatTheNextTokenSees() {
    // The windowed group keeps 4 cached blocks: the end of the text that was released last.
    KvCache cache = cache(new Group(0, 40, 40), new Group(6, 40, 4));
    int[] tokens = text(40);
    cache.release(stored(cache, tokens));
    BlockTable table = cache.newTable();
    assertThat(cache.reuse(table, 0, tokens, 40)).isEqualTo(40);
    assertThat(Arrays.copyOf(table.ofGroups()[1], 8)).containsOnly(KvCache.FREED);
    cache.release(table);
    int[] parted = Arrays.copyOf(tokens, 40);
    parted[12]++; // equal up to entry 2, whose windowed blocks are gone
    assertThat(cache.reuse(cache.newTable(), 0, parted, 40)).isZero();
  }

  @Test
  void freeingTwiceIsRefused() {
    var tree = new PrefixTree(1, BLOCK, 1);
    var pool = new BlockPool(tree, 0, 2, 0);
    int block = pool.take();
    pool.release(block);
    assertThatThrownBy(() -> pool.release(block)).hasMessageContaining("freed twice");
  }

  /**
   * Random sequences beside an obvious model: every slot remembers the whole text that its K and V
   * were computed from, so that a block shared, freed or evicted wrongly shows a foreign text.
   */
  @Property(tries = 150)
  void everySequenceSeesItsOwnTextAndNothingLeaks(@ForAll long seed) {
    var random = new Random(seed);
    var world = new World(random);
    for (int i = 0; i < 300; i++) {
      world.act();
      world.check();
    }
    world.releaseAll();
    world.check();
    for (int group = 0; group < world.groups.size(); group++) {
      assertThat(world.cache.inUse(group)).isZero();
    }
    BlockTable all = world.cache.newTable();
    if (world.groups.size() == 1
        && world.cache.reserve(all, world.groups.get(0).blocks() * BLOCK)) {
      assertThat(world.cache.nodes()).as("a tree without blocks is empty").isZero();
    }
  }

  private static final class World {
    private final Random random;
    private final List<Group> groups = new ArrayList<>();
    private final KvCache cache;
    private final long[][] textOfSlot;
    private final List<int[]> prompts = new ArrayList<>();
    private final List<Text> live = new ArrayList<>();

    private static final class Text {
      private final BlockTable table;
      private int[] tokens = new int[0];

      Text(BlockTable table) {
        this.table = table;
      }
    }

    World(Random random) {
      this.random = random;
      int count = 1 + random.nextInt(3);
      boolean caching = random.nextInt(5) > 0;
      for (int g = 0; g < count; g++) {
        int blocks = 5 + random.nextInt(40);
        int window = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(20);
        groups.add(new Group(window, blocks, caching ? random.nextInt(blocks + 1) : 0));
      }
      cache = new KvCache(BLOCK, groups);
      textOfSlot = new long[count][];
      for (int g = 0; g < count; g++) {
        textOfSlot[g] = new long[groups.get(g).blocks() * BLOCK];
      }
      for (int i = 0; i < 3; i++) {
        prompts.add(random.ints(60, 0, 2).toArray());
      }
    }

    void act() {
      int what = random.nextInt(10);
      if (what == 0 || live.isEmpty()) {
        begin();
      } else if (what == 1) {
        Text text = live.remove(random.nextInt(live.size()));
        cache.release(text.table);
      } else {
        extend(live.get(random.nextInt(live.size())));
      }
    }

    private void begin() {
      Text text = new Text(cache.newTable());
      int[] prompt = prompts.get(random.nextInt(prompts.size()));
      int found = cache.reuse(text.table, 0, prompt, random.nextInt(prompt.length));
      text.tokens = Arrays.copyOf(prompt, found);
      live.add(text);
    }

    private void extend(Text text) {
      int old = text.tokens.length;
      int added = 1 + random.nextInt(random.nextBoolean() ? 1 : 12);
      if (!cache.reserve(text.table, old + added)) {
        return;
      }
      int[] prompt = prompts.get(random.nextInt(prompts.size()));
      text.tokens = Arrays.copyOf(text.tokens, old + added);
      for (int p = old; p < old + added; p++) {
        text.tokens[p] = p < prompt.length ? prompt[p] : random.nextInt(2);
      }
      for (int p = old; p < old + added; p++) {
        for (int g = 0; g < groups.size(); g++) {
          textOfSlot[g][slot(text, g, p)] = hash(text.tokens, p);
        }
      }
      cache.commit(text.table, text.tokens, text.tokens.length);
    }

    private static int slot(Text text, int group, int position) {
      int block = text.table.ofGroups()[group][position / BLOCK];
      assertThat(block).isNotNegative();
      return block * BLOCK + position % BLOCK;
    }

    private static long hash(int[] tokens, int last) {
      long hash = 17;
      for (int i = 0; i <= last; i++) {
        hash = (hash + tokens[i]) * 0x9E3779B97F4A7C15L + 1;
      }
      return hash;
    }

    void check() {
      for (int g = 0; g < groups.size(); g++) {
        int[] refs = new int[groups.get(g).blocks()];
        for (Text text : live) {
          checkVisible(text, g);
          countRefs(text, g, refs);
        }
        int used = 0;
        for (int block = 0; block < refs.length; block++) {
          assertThat(cache.refs(g, block)).isEqualTo(refs[block]);
          used += refs[block] > 0 ? 1 : 0;
        }
        assertThat(cache.inUse(g)).isEqualTo(used);
        assertThat(cache.cached(g)).isBetween(0, groups.get(g).cacheLimit());
      }
    }

    private void checkVisible(Text text, int group) {
      int window = groups.get(group).window();
      int count = text.tokens.length;
      int first = window == 0 ? 0 : Math.max(0, count - window + 1);
      for (int p = first; p < count; p++) {
        assertThat(textOfSlot[group][slot(text, group, p)]).isEqualTo(hash(text.tokens, p));
      }
    }

    private static void countRefs(Text text, int group, int[] refs) {
      int entries = (text.tokens.length + BLOCK - 1) / BLOCK;
      for (int i = 0; i < entries; i++) {
        int block = text.table.ofGroups()[group][i];
        if (block != KvCache.FREED) {
          refs[block]++;
        }
      }
    }

    void releaseAll() {
      live.forEach(text -> cache.release(text.table));
      live.clear();
    }
  }
}
