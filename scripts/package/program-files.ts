import { join } from 'node:path'
import { type Program, programs } from './programs.ts'

/** A file that is installed with a program: from where, and who may do what with it. */
export interface ProgramFile {
  readonly kind: 'program' | 'unit' | 'settings' | 'copyright'
  readonly name: string
  readonly source: string
  readonly mode: number
}

/** What was made for a program before it is packed. */
export interface MadeProgram {
  readonly program: Program
  readonly executable: string
  readonly copyright: string
}

/** The files of a program, whatever they are packed in. Settings can have passwords in them, so that others may not read them. */
export const programFiles = (root: string, { program, executable, copyright }: MadeProgram): readonly ProgramFile[] => [
  { kind: 'program', name: program, source: executable, mode: 0o755 },
  {
    kind: 'unit',
    name: `${program}.service`,
    source: join(root, 'deploy/systemd', `${program}.service`),
    mode: 0o644,
  },
  {
    kind: 'settings',
    name: programs[program].settings,
    source: join(root, 'deploy/settings', programs[program].settings),
    mode: 0o600,
  },
  { kind: 'copyright', name: 'copyright', source: copyright, mode: 0o644 },
]
