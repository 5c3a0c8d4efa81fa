/** How often in a row a server that does not lead is believed about who does. */
const mostHints = 3

/** Which server is tried next: one after the other, but for a hint at the one that leads. */
export class ServerRotation {
  readonly #addresses: readonly string[]
  #next = 0
  #hint = ''
  #hints = 0

  /** @throws RangeError without any address. */
  constructor(addresses: readonly string[]) {
    if (addresses.length === 0) throw new RangeError('At least one server address is needed.')
    this.#addresses = addresses
  }

  next(): string {
    const hint = this.#hint
    this.#hint = ''
    if (hint !== '') return hint
    const address = this.#addresses[this.#next % this.#addresses.length] as string
    this.#next += 1
    return address
  }

  /** A server says that another one leads. Whether that one is to be tried at once. */
  hint(address: string): boolean {
    if (address === '' || this.#hints >= mostHints) return false
    this.#hints += 1
    this.#hint = address
    return true
  }

  /** The server at `address` took this host in: it is the first to be tried again. */
  joined(address: string): void {
    this.#hints = 0
    const index = this.#addresses.indexOf(address)
    if (index >= 0) this.#next = index
  }

  /** Nobody is believed any more until somebody takes this host in; call it whenever there was a pause. */
  paused(): void {
    this.#hints = 0
  }
}
