// F32: IEEE 754 binary32; one plane.
#define BLOCK 1
float element(Weights w, uint i) { return Floats(w.p0).v[i]; }
