import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { agentConfigurationPage } from './agent-configuration-page.ts'

const page = fileURLToPath(new URL('../../../../docs/agent-configuration.md', import.meta.url))

it('is the page in docs', async () => {
  await expect(agentConfigurationPage()).toMatchFileSnapshot(page)
})
