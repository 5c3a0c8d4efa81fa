const absent = (): never => {
  throw new Error('Protocols are compiled into this program, and none is loaded when it runs.')
}

/**
 * Stands in the programs for the package `@grpc/proto-loader`, which reads protocols at run time: for builds of images by the library for Docker, and for
 * gRPC's own statistics. Berth has no use for either, and loading it is 2 MiB of memory.
 */
export const load = absent
export const loadSync = absent
export const fromJSON = absent
