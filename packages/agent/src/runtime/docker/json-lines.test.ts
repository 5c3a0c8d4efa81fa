import { array, assert, asyncProperty, integer, jsonValue } from 'fast-check'
import { expect, it } from 'vitest'
import { jsonLines } from './json-lines.ts'

async function read(chunks: readonly Uint8Array[]): Promise<unknown[]> {
  const stream = (async function* () {
    yield* chunks
  })()
  const values: unknown[] = []
  for await (const value of jsonLines(stream)) values.push(value)
  return values
}

it('gives what was written, however the transport cut it', async () => {
  await assert(
    asyncProperty(array(jsonValue()), integer({ min: 1, max: 7 }), async (values, size) => {
      const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\r\n`).join(''))
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      expect(await read(chunks)).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown))
    }),
  )
})

it('takes a last line without an end', async () => {
  expect(await read([Buffer.from('{"a":1}\n\n{"b":2}')])).toEqual([{ a: 1 }, { b: 2 }])
})

it('fails on what is not JSON', async () => {
  await expect(read([Buffer.from('<html>\n')])).rejects.toThrow(SyntaxError)
})
