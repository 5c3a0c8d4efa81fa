import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { controlPlaneConfigurationPage } from './control-plane-configuration-page.ts'

const page = fileURLToPath(new URL('../../../../docs/control-plane-configuration.md', import.meta.url))

it('is the page in docs', async () => {
  await expect(controlPlaneConfigurationPage()).toMatchFileSnapshot(page)
})
