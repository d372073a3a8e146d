package dev.ridgeline.model;

import dev.ridgeline.tensor.Shape;

/**
 * A tensor that a model must have.
 *
 * @param vector whether it must be float32: norms, biases, frequency factors
 */
public record TensorRequest(String name, Shape shape, boolean vector) {}
