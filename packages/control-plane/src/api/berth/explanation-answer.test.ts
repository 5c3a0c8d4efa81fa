import { describe, expect, it } from 'vitest'
import { placementAnswer } from './explanation-answer.ts'

const RANK = 2 ** 23

describe('the words about a host that was chosen', () => {
  it.each([
    [2432, 'it was the fullest that had room: what was left,'],
    [RANK + 2432, 'it was the fullest that had room: all its GPUs were taken, and what was left,'],
    [2 * RANK + 2432, 'it was the fullest that had room: some of its GPUs were taken, and what was left,'],
    [3 * RANK + 2432, 'it was the fullest that had room: none of its GPUs was taken, and what was left,'],
    [
      6 * RANK + 2432,
      'it was the fullest that had room, though the task takes more of its CPU or memory than of its GPUs: some of its GPUs were taken, and what was left,',
    ],
  ])('of room, when a step saw %i in it', (value, words) => {
    const { steps } = placementAnswer({ hosts: 3, seen: [['binpack(room)', value]] }, 'service:web')
    expect(steps.map(({ text }) => text)).toEqual([`${words} counted together and a core as 2 GiB, came to 2432 MiB`])
  })
})
