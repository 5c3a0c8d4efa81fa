import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDebianPackage } from '../../scripts/package/debian-package.ts'
import { makeProgramArchive } from '../../scripts/package/program-archive.ts'
import { programNames } from '../../scripts/package/programs.ts'
import { run } from '../../scripts/package/run.ts'

const root = join(import.meta.dirname, '../..')
const release = { version: '0.1.0', revision: '01234567', madeAt: 1_790_000_000 }

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-reproducible-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** A package of a program that is none, packed in a directory of its own from files that were made at this time. */
async function pack(where: string, program: (typeof programNames)[number], seconds: number, quick: boolean) {
  const scratch = join(directory, where)
  const [executable, copyright] = [join(scratch, program), join(scratch, 'copyright')]
  const out = join(scratch, 'out')
  await mkdir(out, { recursive: true })
  for (const [file, text] of [[executable, '#!/bin/sh\n'.repeat(1e5)] as const, [copyright, 'text\n'] as const]) {
    await writeFile(file, text)
    await utimes(file, seconds, seconds)
  }
  const made = { program, executable, copyright }
  const request = { root, made, release, machine: 'x64', out, scratch, quick } as const
  return [await makeDebianPackage(request), await makeProgramArchive(request)] as const
}

test.each(programNames.flatMap((program) => [[program, true] as const, [program, false] as const]))(
  'packages of %s are equal, byte by byte, wherever and whenever they are made (quick: %s)',
  async (program, quick) => {
    const one = await pack(`one-${program}-${quick}`, program, 1_700_000_000, quick)
    const other = await pack(`other-${program}-${quick}`, program, 1_800_000_000, quick)
    for (const [index, file] of one.entries())
      expect((await readFile(file)).equals(await readFile(other[index] ?? ''))).toBe(true)
  },
)

test('what dpkg unpacks belongs to root, and only root reads settings', async () => {
  const [deb] = await pack('listed', 'berth', 1_700_000_000, true)
  const listed = await run('dpkg-deb', ['--contents', deb])
  expect(listed).toMatch(/^-rwxr-xr-x root\/root .* \.\/usr\/bin\/berth$/m)
  expect(listed).toMatch(/^-rw------- root\/root .* \.\/etc\/berth\/control-plane\.env$/m)
  expect(listed).not.toMatch(/^.{10} (?!root\/root)/m)
})
