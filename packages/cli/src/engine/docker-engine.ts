import { dockerOptions } from '@berth/agent/runtime/docker/engine-connection.ts'
import Docker from 'dockerode'

/** The Docker engine that the agents use: by DOCKER_HOST and DOCKER_CERT_PATH, else at Docker's own socket. */
export function connectEngine(environment: NodeJS.ProcessEnv): { readonly docker: Docker; readonly address: string } {
  const dockerHost = environment['DOCKER_HOST'] || 'unix:///var/run/docker.sock'
  const certPath = environment['DOCKER_CERT_PATH']
  const options = dockerOptions({ dockerHost, ...(certPath ? { certPath } : {}) })
  return { docker: new Docker(options), address: dockerHost }
}
