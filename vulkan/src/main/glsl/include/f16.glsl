// F16: IEEE 754 binary16; one plane.
#define BLOCK 1
float element(Weights w, uint i) { return f16At(Halfs(w.p0), i); }
