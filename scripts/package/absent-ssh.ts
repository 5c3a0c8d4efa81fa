/**
 * Stands in the programs for the package `ssh2`, by which the library for Docker would reach an engine over `ssh://`. Berth speaks to engines by socket or
 * HTTP only, and the package is a tenth of the agent.
 */
export function Client(): never {
  throw new Error('The Docker engine is reached by unix://, tcp://, http:// or https://, not by ssh://.')
}
