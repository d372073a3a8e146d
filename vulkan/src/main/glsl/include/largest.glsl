// The largest value of a workgroup with its index; the lowest index among equals. At most 256
// invocations. Invocations without a value pass the index NONE.
const uint NONE = 0xFFFFFFFFu;
shared float largestValue[256];
shared uint largestIndex[256];

bool larger(float a, uint i, float b, uint j) {
  return j == NONE || (i != NONE && (a > b || (a == b && i < j)));
}

uint workgroupLargest(float value, uint index) {
  uint id = gl_LocalInvocationID.x;
  barrier();
  largestValue[id] = value;
  largestIndex[id] = index;
  for (uint half_ = gl_WorkGroupSize.x / 2; half_ > 0; half_ /= 2) {
    barrier();
    if (id < half_
        && larger(largestValue[id + half_], largestIndex[id + half_], largestValue[id], largestIndex[id])) {
      largestValue[id] = largestValue[id + half_];
      largestIndex[id] = largestIndex[id + half_];
    }
  }
  barrier();
  return largestIndex[0];
}
