// The table of units of formats whose nibbles are numbers of values: needs NIBBLES, the 16 values.
#define UNIT_TABLE
// The values of both nibbles of a byte, as two int8.
shared uint nibbleValues[256];

void fillTable() {
  for (uint i = gl_LocalInvocationID.x; i < 256; i += gl_WorkGroupSize.x) {
    nibbleValues[i] = (uint(int(NIBBLES[i & 15u])) & 0xFFu) | (uint(int(NIBBLES[i >> 4])) & 0xFFu) << 8;
  }
  barrier();
}

// The values of the low nibbles of four bytes, and of the high ones.
void valuesOf(uint q, out uint low, out uint high) {
  uint a = nibbleValues[q & 0xFFu];
  uint b = nibbleValues[(q >> 8) & 0xFFu];
  uint c = nibbleValues[(q >> 16) & 0xFFu];
  uint d = nibbleValues[q >> 24];
  low = (a & 0xFFu) | (b & 0xFFu) << 8 | (c & 0xFFu) << 16 | d << 24;
  high = a >> 8 | (b & 0xFF00u) | (c & 0xFF00u) << 8 | (d & 0xFF00u) << 16;
}
