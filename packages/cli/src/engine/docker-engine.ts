import { dockerOptions } from '@berth/agent/runtime/docker/engine-connection.ts'
import Docker from 'dockerode'

/**
 * The Docker engine that the agents use: by DOCKER_HOST and DOCKER_CERT_PATH, else at Docker's own socket. One that says
 * nothing for `silentForMs` is taken for hung, and the call fails.
 */
export function connectEngine(
  environment: NodeJS.ProcessEnv,
  silentForMs: number,
): { readonly docker: Docker; readonly address: string } {
  const dockerHost = environment['DOCKER_HOST'] || 'unix:///var/run/docker.sock'
  const certPath = environment['DOCKER_CERT_PATH']
  const options = dockerOptions({ dockerHost, ...(certPath ? { certPath } : {}) })
  return { docker: new Docker({ ...options, timeout: silentForMs }), address: dockerHost }
}
