/**
 * Protections that a simulation can be run without, to see that its invariants notice: a run that is green with one of these would prove
 * nothing. Each is switched off where the parts are wired together, or on the one object that holds it.
 */
export const plants = {
  fence: 'the store takes commits of whoever sends them',
  claims: 'the fleet forgets what tasks claim of their hosts',
  'forward-only': 'a report of a task is taken at its word, however old it is',
  'orders after durability': 'hosts are told of decisions that the store does not have yet',
  'answers after durability': 'callers are answered before the store has what they are told',
  'container names': 'each try to create a container takes another name',
} as const

export type Plant = keyof typeof plants
