import { readFileSync } from 'node:fs'
import { controlPlaneConfigFiles } from '@berth/control-plane/config/control-plane-config.ts'
import { controlPlaneSettings } from '@berth/control-plane/config/control-plane-settings.ts'
import { apiUsesTls } from '@berth/control-plane/config/tls-modes.ts'
import { readSettings } from '@berth/shared/config/read-settings.ts'
import { readIfThere } from '../cluster/private-file.ts'
import { parseAccessKeys } from '../cluster/secrets.ts'
import { CliError } from '../cli-error.ts'
import type { EcsEndpoint } from './ecs-client.ts'

export interface InstalledControlPlane extends EcsEndpoint {
  /** Where its roots are; for clients that want a file. */
  readonly caFile: string | undefined
}

const { accessKeysFile, caBundleFile, listen, region, tls } = controlPlaneSettings

/**
 * The control plane that a package, or `install.sh`, has made a service of on this machine, by the settings and the first key of that;
 * `undefined` where there is none.
 *
 * @throws CliError where this user may not know its keys, or it was never started.
 */
export function installedControlPlane(path: string = controlPlaneConfigFiles[0]): InstalledControlPlane | undefined {
  const text = readAsRoot(path)
  if (text === undefined) return undefined
  const settings = { accessKeysFile, caBundleFile, listen, region, tls }
  const { values } = readSettings(settings, { flags: {}, environment: {}, files: [{ path, text }] })
  if (values.accessKeysFile === undefined || values.listen === undefined || values.tls === undefined) return undefined
  const keys = readAsRoot(values.accessKeysFile)
  if (keys === undefined) throw new CliError(`The control plane of ${path} was never started: systemctl start berth`)
  const [key] = parseAccessKeys(values.accessKeysFile, keys)
  if (key === undefined) throw new CliError(`${values.accessKeysFile} has no key.`)
  const { host, port } = values.listen
  const isAnywhere = ['', '0.0.0.0', '::'].includes(host)
  const name = isAnywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const scheme = apiUsesTls({ tls: values.tls, listen: values.listen }) ? 'https' : 'http'
  const caFile = values.caBundleFile
  const ca = caFile === undefined ? undefined : readIfThere(caFile)
  return { endpoint: `${scheme}://${name}:${port}`, region: values.region ?? region.default ?? '', key, ca, caFile }
}

function readAsRoot(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code !== 'EACCES') throw error
    throw new CliError(
      `Only root may read ${path}, by which commands know the control plane of this machine: use sudo, or name an endpoint and a key (AWS_ENDPOINT_URL, ...).`,
      { cause: error },
    )
  }
}
