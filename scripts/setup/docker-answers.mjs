// Exits 0 when a Docker engine answers, 2 when one is there that this user may not speak to, 1 when none answers.
// Plain JavaScript, because it runs before Node 24 is there; and no `docker` client, because Berth needs none.
import http from 'node:http'

const host = process.env.DOCKER_HOST || 'unix:///var/run/docker.sock'
const url = new URL(host)
const address =
  url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: Number(url.port || 2375) }

if (url.protocol === 'ssh:' || process.env.DOCKER_TLS_VERIFY) process.exit(0)

const request = http.get({ ...address, path: '/_ping', timeout: 5000 }, (response) => {
  response.resume()
  response.on('end', () => process.exit(response.statusCode === 200 ? 0 : 1))
})
request.on('timeout', () => request.destroy())
request.on('error', (error) => process.exit(error.code === 'EACCES' ? 2 : 1))
