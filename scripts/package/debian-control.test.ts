import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { debianControl } from './debian-control.ts'
import { programFiles } from './program-files.ts'
import { programNames, programs } from './programs.ts'

const root = join(import.meta.dirname, '../..')

test.each(programNames)('%s says what it is, in the form that dpkg reads', (program) => {
  const text = debianControl(program, '0.1.0', 'arm64', 2048)
  const [, ...continued] = text.slice(text.indexOf('Description: ')).trimEnd().split('\n')
  expect(text).toContain(`Package: ${program}\nVersion: 0.1.0\nArchitecture: arm64\n`)
  expect(text).toContain('Installed-Size: 2\n')
  expect(continued.every((line) => /^ \S.{0,78}$/.test(line))).toBe(true)
  expect(text.endsWith('\n')).toBe(true)
})

test.each(programNames)(
  'the unit of %s runs the program that is installed, keeps its state and is hardened',
  (program) => {
    const unit = readFileSync(join(root, `deploy/systemd/${program}.service`), 'utf8')
    expect(unit).toMatch(new RegExp(`^ExecStart=/usr/bin/${program}( control-plane)?$`, 'm'))
    expect(unit).toContain(`\nStateDirectory=berth/${programs[program].state}\n`)
    expect(unit).toMatch(/^CapabilityBoundingSet=(CAP_SYSLOG)?$/m)
    for (const line of ['Restart=always', 'NoNewPrivileges=yes', 'ProtectSystem=strict'])
      expect(unit.split('\n')).toContain(line)
  },
)

test.each(programNames)(
  'all that is installed with %s is in the repository, and settings are for root alone',
  (program) => {
    const files = programFiles(root, { program, executable: 'made', copyright: 'made' })
    for (const { kind, source, mode } of files) {
      if (source !== 'made') expect(readFileSync(source, 'utf8')).not.toBe('')
      if (kind === 'settings') expect(mode).toBe(0o600)
    }
    expect(files.map(({ kind }) => kind)).toEqual(['program', 'unit', 'settings', 'copyright'])
  },
)
