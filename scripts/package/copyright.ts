import type { BundledPackage } from './bundled-packages.ts'

export interface CopyrightParts {
  readonly program: string
  /** The text of Berth's own licence. */
  readonly ownLicense: string
  readonly nodeVersion: string
  /** What Node says of itself and of what it is made of. */
  readonly nodeLicense: string
  readonly packages: readonly BundledPackage[]
}

const rule = '='.repeat(80)

/** Whose a program is, with everything in it: the file `copyright` of its package. A text that several share stands once. */
export function copyrightText({ program, ownLicense, nodeVersion, nodeLicense, packages }: CopyrightParts): string {
  const byText = Map.groupBy(packages, ({ text }) => text.replaceAll('\r', ''))
  return [
    `${program} is Berth, under the Apache License 2.0. The one file holds Node.js ${nodeVersion} and the packages that are`,
    'listed here, each under the licence that stands below it.',
    '',
    rule,
    `Berth`,
    rule,
    '',
    ownLicense.trimEnd(),
    '',
    ...[...byText].flatMap(([text, those]) => [
      rule,
      ...those.map(({ name, version, license }) => `${name} ${version} (${license})`),
      rule,
      '',
      text.trimEnd(),
      '',
    ]),
    rule,
    `Node.js ${nodeVersion}`,
    rule,
    '',
    nodeLicense.trimEnd(),
    '',
  ].join('\n')
}
