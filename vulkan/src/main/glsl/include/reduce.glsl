// Sum and maximum over a workgroup of at most 1,024 invocations, for any subgroup size.
shared float reduced[128];

float workgroupSum(float x) {
  float part = subgroupAdd(x);
  barrier();
  if (gl_SubgroupInvocationID == 0) reduced[gl_SubgroupID] = part;
  barrier();
  float sum = 0;
  for (uint i = 0; i < gl_NumSubgroups; i++) sum += reduced[i];
  return sum;
}

float workgroupMax(float x) {
  float part = subgroupMax(x);
  barrier();
  if (gl_SubgroupInvocationID == 0) reduced[gl_SubgroupID] = part;
  barrier();
  float best = reduced[0];
  for (uint i = 1; i < gl_NumSubgroups; i++) best = max(best, reduced[i]);
  return best;
}
