import {
  ConfigError,
  readSettingFiles,
  readSettings,
  type SettingSources,
  type Texts,
} from '@berth/shared/config/read-settings.ts'
import { type ControlPlaneConfig, controlPlaneSettings } from './control-plane-settings.ts'
import { tlsContradictions } from './tls-modes.ts'

/** Where settings are read from when no file is named. */
export const controlPlaneConfigFiles = ['/etc/berth/control-plane.env'] as const

/**
 * Reads the files that there are, and the rest.
 *
 * @throws ConfigError with all mistakes at once; an error of the file system for a file that cannot be read.
 */
export async function readControlPlaneConfig(
  flags: Texts,
  environment: Texts,
  paths: readonly string[] = controlPlaneConfigFiles,
): Promise<ControlPlaneConfig> {
  return compileControlPlaneConfig({ flags, environment, files: await readSettingFiles(paths) })
}

/** @throws ConfigError with all mistakes at once. */
export function compileControlPlaneConfig(sources: SettingSources): ControlPlaneConfig {
  const { values, mistakes } = readSettings(controlPlaneSettings, sources)
  const all = [...mistakes, ...contradictions(values)]
  if (all.length > 0) throw new ConfigError('The control plane', all)
  return Object.freeze(values) as ControlPlaneConfig
}

function contradictions(values: Partial<ControlPlaneConfig>): readonly string[] {
  const { hostLostAfterMs = 0, hostDisconnectedAfterMs = 0, heartbeatMs = 0 } = values
  const wrong: string[] = []
  if (hostLostAfterMs > 0 && hostLostAfterMs < hostDisconnectedAfterMs)
    wrong.push(
      'BERTH_HOST_LOST_AFTER is shorter than BERTH_HOST_DISCONNECTED_AFTER: a host is disconnected before it is lost',
    )
  if (hostDisconnectedAfterMs > 0 && hostDisconnectedAfterMs < 2 * heartbeatMs)
    wrong.push('BERTH_HOST_DISCONNECTED_AFTER is shorter than two of BERTH_HEARTBEAT: hosts would flap')
  return [...wrong, ...tlsContradictions(values)]
}
