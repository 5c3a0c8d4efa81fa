import { type Machine, machines } from './machines.ts'
import { type Program, programs } from './programs.ts'

/** The file `control` of a Debian package. `installedBytes` is what its files take. */
export function debianControl(program: Program, version: string, machine: Machine, installedBytes: number): string {
  const { about, description, recommends } = programs[program]
  return [
    `Package: ${program}`,
    `Version: ${version}`,
    `Architecture: ${machines[machine].debian}`,
    'Maintainer: The Berth maintainers <maintainers@berth.invalid>',
    `Installed-Size: ${Math.ceil(installedBytes / 1024)}`,
    // What Node's own program is linked with, and useradd.
    'Depends: libc6 (>= 2.28), libstdc++6, passwd',
    `Recommends: ${recommends.join(', ')}`,
    'Section: admin',
    'Priority: optional',
    `Description: ${about}`,
    ...description.map((line) => ` ${line}`),
    '',
  ].join('\n')
}
