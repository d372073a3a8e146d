package dev.ridgeline.graph;

/**
 * What one attention layer keeps of each token.
 *
 * @param layer index among the attention layers
 * @param headCountKv K and V heads
 * @param keyDim elements of a K head
 * @param valueDim elements of a V head
 * @param window tokens a query sees, itself included; 0 = all. Layers of equal windows form a group
 *     that shares block tables
 */
public record KvLayer(int layer, int headCountKv, int keyDim, int valueDim, int window) {}
