import { createHash } from 'node:crypto'

/** One atomic transition: a script that Redis runs to its end before it does anything else. */
export interface LuaScript {
  readonly name: string
  readonly source: string
  /** What Redis knows it by once it was loaded. */
  readonly sha: string
}

export const luaScript = (name: string, source: string): LuaScript => ({
  name,
  source,
  sha: createHash('sha1').update(source).digest('hex'),
})
