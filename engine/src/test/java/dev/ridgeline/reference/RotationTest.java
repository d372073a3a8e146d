package dev.ridgeline.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.RopeParams.Layout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RotationTest {
  private static final int DIM = 24;
  private static final int ROTATED = 16;

  @ParameterizedTest
  @EnumSource
  void positionZeroAndTheUnrotatedRestStayAsTheyAre(Layout layout) {
    float[] x = gaussians(1);
    float[] y = rotated(x, 0, layout);
    assertThat(y).isEqualTo(x);
    float[] z = rotated(x, 13, layout);
    for (int i = ROTATED; i < DIM; i++) {
      assertThat(z[i]).isEqualTo(x[i]);
    }
    assertThat(z[0]).isNotEqualTo(x[0]);
  }

  @ParameterizedTest
  @EnumSource
  void productsDependOnDistancesOnly(Layout layout) {
    float[] q = gaussians(1);
    float[] k = gaussians(2);
    double near = dot(rotated(q, 9, layout), rotated(k, 4, layout));
    double far = dot(rotated(q, 1009, layout), rotated(k, 1004, layout));
    assertThat(far).isEqualTo(near, within(1e-5));
    assertThat(dot(rotated(q, 9, layout), rotated(k, 5, layout))).isNotCloseTo(near, within(1e-3));
  }

  @ParameterizedTest
  @EnumSource
  void everyHeadTurnsAlike(Layout layout) {
    float[] head = gaussians(3);
    float[] three = new float[3 * DIM + 2];
    for (int h = 0; h < 3; h++) {
      System.arraycopy(head, 0, three, 1 + h * DIM, DIM);
    }
    Rotation.rotate(three, 1, 3 * DIM, 21, params(layout), null);
    float[] expected = rotated(head, 21, layout);
    for (int i = 0; i < 3 * DIM; i++) {
      assertThat(three[1 + i]).isEqualTo(expected[i % DIM]);
    }
  }

  /** The two layouts are the same rotation of rearranged elements. */
  @Test
  void layoutsDifferByAPermutation() {
    float[] norm = gaussians(4);
    float[] neox = norm.clone();
    for (int i = 0; i < ROTATED / 2; i++) {
      neox[i] = norm[2 * i];
      neox[i + ROTATED / 2] = norm[2 * i + 1];
    }
    float[] a = rotated(norm, 17, Layout.NORM);
    float[] b = rotated(neox, 17, Layout.NEOX);
    for (int i = 0; i < ROTATED / 2; i++) {
      assertThat(b[i]).isEqualTo(a[2 * i]);
      assertThat(b[i + ROTATED / 2]).isEqualTo(a[2 * i + 1]);
    }
  }

  private static RopeParams params(Layout layout) {
    return RopeParams.plain(layout, DIM, ROTATED, 10_000);
  }

  private static float[] rotated(float[] x, int position, Layout layout) {
    float[] y = x.clone();
    Rotation.rotate(y, 0, DIM, position, params(layout), null);
    return y;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static float[] gaussians(long seed) {
    Random random = new Random(seed);
    float[] x = new float[DIM];
    for (int i = 0; i < DIM; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }
}
