/** Where an environment file lies, by its `value`. */
export interface EnvironmentFileAddress {
  readonly bucket: string
  readonly key: string
}

/** `arn:aws:s3:::bucket/folder/name.env`; `undefined` for what ECS takes for none. */
export function parseEnvironmentFileArn(value: string): EnvironmentFileAddress | undefined {
  const [, bucket = '', key = ''] =
    /^arn:aws[a-z-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+\.env)$/.exec(value) ?? []
  const isPlain = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !/[\\\0]/.test(key)
  return bucket === '' || bucket.includes('..') || !isPlain ? undefined : { bucket, key }
}

/**
 * The variables of a file by the rules of ECS's agent: a line is `NAME=value` up to its end, as it is; what begins with `#`, has no equals sign,
 * no name or no value is passed over; of two lines with one name the later counts.
 */
export function parseEnvironmentFile(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=')
    if (line.startsWith('#') || at <= 0 || at === line.length - 1) continue
    variables.set(line.slice(0, at), line.slice(at + 1))
  }
  return variables
}
