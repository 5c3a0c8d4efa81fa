/** An image reference in its parts, as Docker reads it. */
export interface ImageReference {
  /** The registry's host, `docker.io` where none is named. */
  readonly registry: string
  /** The repository with the registry in front where one is named: what Docker calls `fromImage`. */
  readonly name: string
  /** The tag or, for a reference by digest, `sha256:...`: what Docker calls `tag`. Never empty: that would pull every tag. */
  readonly version: string
  readonly byDigest: boolean
}

/** Takes `[registry/]repository[:tag][@digest]` apart. Where both are named, the digest decides, as in Docker. */
export function parseImageReference(image: string): ImageReference {
  const [tagged = '', digest] = image.split('@')
  const slash = tagged.lastIndexOf('/')
  const colon = tagged.indexOf(':', slash + 1)
  const name = colon < 0 ? tagged : tagged.slice(0, colon)
  const tag = colon < 0 ? 'latest' : tagged.slice(colon + 1)
  return {
    registry: registryOf(name),
    name,
    version: digest ?? tag,
    byDigest: digest !== undefined,
  }
}

/** A first part with a dot or a port, or `localhost`, is a host; else it is a user of Docker Hub. */
function registryOf(name: string): string {
  const first = name.split('/', 1)[0] ?? ''
  const isHost = name.includes('/') && (/[.:]/.test(first) || first === 'localhost')
  return isHost ? first : 'docker.io'
}

/** Whether the text can only be the id of an image: with its algorithm, or all 64 digits. */
export const isImageId = (image: string): boolean => /^(sha256:)?[0-9a-f]{64}$/.test(image)
