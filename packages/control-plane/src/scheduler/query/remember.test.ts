import { expect, it } from 'vitest'
import { remembering } from './remember.ts'

it('asks once for what it remembers, and forgets all when it cannot remember more', () => {
  const asked: string[] = []
  const lengthOf = remembering(3, (text) => {
    asked.push(text)
    return text === '' ? undefined : text.length
  })
  const answers = (...questions: readonly string[]) => {
    asked.length = 0
    return questions.map(lengthOf)
  }
  expect(answers('', 'a', '', 'a', 'bb', '', 'a', 'bb')).toEqual([undefined, 1, undefined, 1, 2, undefined, 1, 2])
  expect(asked).toEqual(['', 'a', 'bb'])
  expect(answers('ccc', 'bb', 'a', 'ccc')).toEqual([3, 2, 1, 3])
  expect(asked).toEqual(['ccc', 'bb', 'a'])
})
