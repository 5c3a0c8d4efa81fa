import { expect, test } from 'vitest'
import { parseArn, shortName } from './arn.ts'

test.each([
  ['arn:aws:ecs:eu-west-1:000000000000:task/lab/0123', 'eu-west-1', '000000000000', 'task/lab/0123', '0123'],
  [
    'arn:aws:ecs:eu-west-1:000000000000:task-definition/web:7',
    'eu-west-1',
    '000000000000',
    'task-definition/web:7',
    'web:7',
  ],
  ['arn:aws:s3:::bucket/some:key', '', '', 'bucket/some:key', 'some:key'],
])('%s is an ARN', (text, region, account, resource, name) => {
  expect(parseArn(text)).toMatchObject({ partition: 'aws', region, account, resource, path: resource.split('/') })
  expect(shortName(text)).toBe(name)
})

test.each([
  '',
  'arn',
  'web:7',
  'arn:aws:ecs:eu-west-1:000000000000',
  'arn:aws:ecs:eu-west-1:000000000000:',
  'arn::ecs:eu-west-1:000000000000:task/a',
  'arn:aws::eu-west-1:000000000000:task/a',
  'urn:aws:ecs:eu-west-1:000000000000:task/a',
])('%o is none', (text) => {
  expect(parseArn(text)).toBeUndefined()
  expect(shortName(text)).toBe(text)
})
