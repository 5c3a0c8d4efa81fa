import { makeBusyboxImage, untilStopped } from '../images/busybox-image.ts'

/** The image of the documentation's examples: a web server on port 80. Its definitions name it, so its name is no choice. */
export const webImage = 'my-app-image:latest'
/** Runs until it is asked to stop. */
export const sleeperImage = 'berth-test/sleeper:latest'

/**
 * An image that cannot be had, of a registry that refuses every connection at once. One of a registry on the internet would take as long as
 * the machine's name server does: 20 s a try where that is silent.
 */
export const absentImage = '127.0.0.1:1/berth-test/there-is-no-such-image:latest'

/** What the web server answers with on `/`. */
export const webPage = 'hello from berth\n'

/** Busybox's web server does not end when it is asked to, being the first process of its container; a shell does in its place. */
export const serveOn = (port: number): string[] => [
  'sh',
  '-c',
  `trap "exit 0" TERM; httpd -f -p ${port} -h /www & wait $!`,
]

/** Puts both on the engine. They stay there: making them again changes nothing. */
export async function makeTestImages(): Promise<void> {
  await makeBusyboxImage({ reference: webImage, command: serveOn(80), files: { '/www/index.html': webPage } })
  await makeBusyboxImage({ reference: sleeperImage, command: untilStopped })
}
