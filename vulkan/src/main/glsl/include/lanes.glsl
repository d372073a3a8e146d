// Lanes: groups of 32 invocations that work on one row or head, whatever the size of a subgroup.
// Sums go over the same tree for any number of rows or tokens beside them. Uniform control flow only.
const uint LANES = 32;
const uint PARTS_OF_LANES = SUBGROUP < LANES ? LANES / SUBGROUP : 1;
shared float laneParts[128];

// Number of this invocation in the workgroup, such that subgroups are runs of numbers.
uint invocation() { return gl_SubgroupID * SUBGROUP + gl_SubgroupInvocationID; }

float lanesSum(float x) {
  [[unroll]] for (uint m = min(SUBGROUP, LANES) / 2; m > 0; m /= 2) x += subgroupShuffleXor(x, m);
  if (SUBGROUP < LANES) {
    barrier();
    if (gl_SubgroupInvocationID == 0) laneParts[gl_SubgroupID] = x;
    barrier();
    uint first = gl_SubgroupID / PARTS_OF_LANES * PARTS_OF_LANES;
    x = 0;
    for (uint i = 0; i < PARTS_OF_LANES; i++) x += laneParts[first + i];
  }
  return x;
}

float lanesMax(float x) {
  [[unroll]] for (uint m = min(SUBGROUP, LANES) / 2; m > 0; m /= 2) x = max(x, subgroupShuffleXor(x, m));
  if (SUBGROUP < LANES) {
    barrier();
    if (gl_SubgroupInvocationID == 0) laneParts[gl_SubgroupID] = x;
    barrier();
    uint first = gl_SubgroupID / PARTS_OF_LANES * PARTS_OF_LANES;
    for (uint i = 0; i < PARTS_OF_LANES; i++) x = max(x, laneParts[first + i]);
  }
  return x;
}
