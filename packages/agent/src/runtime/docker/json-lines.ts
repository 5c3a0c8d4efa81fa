/**
 * The JSON values of a stream that has one a line, as the engine's events and pull progress. Characters that are cut in
 * two by the transport are put together again.
 *
 * @throws SyntaxError for a line that is not JSON; what the stream fails with.
 */
export async function* jsonLines(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<unknown, void, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line)
  }
  if (rest.trim() !== '') yield JSON.parse(rest)
}
