import { expect, test } from 'vitest'
import { copyrightText } from './copyright.ts'

const text = copyrightText({
  program: 'berth-agent',
  ownLicense: 'OWN',
  nodeVersion: '24.0.0',
  nodeLicense: 'NODE',
  packages: [
    { name: 'a', version: '1', license: 'MIT', text: 'SHARED\r\n' },
    { name: 'b', version: '2', license: 'MIT', text: 'SHARED\n' },
    { name: 'c', version: '3', license: 'ISC', text: 'OTHER' },
  ],
})

test('every package and every text is in it, a text that is shared once', () => {
  expect(text.match(/^(a 1 \(MIT\)|b 2 \(MIT\)|c 3 \(ISC\)|SHARED|OTHER|OWN|NODE|Node\.js 24\.0\.0)$/gm)).toEqual([
    'OWN',
    'a 1 (MIT)',
    'b 2 (MIT)',
    'SHARED',
    'c 3 (ISC)',
    'OTHER',
    'Node.js 24.0.0',
    'NODE',
  ])
})
