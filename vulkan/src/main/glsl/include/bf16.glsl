// BF16: the upper half of a binary32; one plane.
#define BLOCK 1
float element(Weights w, uint i) { return uintBitsToFloat(uint(Halfs(w.p0).v[i]) << 16); }
