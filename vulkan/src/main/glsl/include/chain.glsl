// Kernels that follow each other without a barrier between them: each waits inside, after it has sent for
// its weights, until the workgroups of those before it have finished. A device must start workgroups in
// the order of the dispatches, or waiting ones would keep out those they wait for (Chain.java).
// Memory that other kernels of a chain write has to be read by the Live views of types.glsl.
#extension GL_KHR_memory_scope_semantics : require
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Counter { uint v[]; };

// finished[0] counts the workgroups of the kernels before that have finished, finished[NEXT] those of the
// kernels beside this one.
struct Link {
  uvec2 finished; // a Counter; 0: nobody waits
  uint wanted; // workgroups to wait for
};
const uint NEXT = 32; // words: a counter has its own cache line

// One invocation fences for all of its workgroup, on either side of a barrier.
void awaitLink(Link link) {
  if (link.wanted > 0) {
    if (gl_LocalInvocationIndex == 0) {
      Counter c = Counter(link.finished);
      while (atomicLoad(c.v[0], gl_ScopeDevice, gl_StorageSemanticsNone, gl_SemanticsRelaxed) < link.wanted) {}
      memoryBarrierBuffer();
    }
    barrier();
  }
}

// Says that this workgroup has finished; called once by all of its invocations.
void finishLink(Link link) {
  if (link.finished != uvec2(0)) {
    barrier();
    if (gl_LocalInvocationIndex == 0) {
      memoryBarrierBuffer();
      atomicAdd(Counter(link.finished).v[NEXT], 1);
    }
  }
}
