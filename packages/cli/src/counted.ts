/** `1 host`, `3 hosts`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

export const isOrAre = (count: number): string => (count === 1 ? 'is' : 'are')
