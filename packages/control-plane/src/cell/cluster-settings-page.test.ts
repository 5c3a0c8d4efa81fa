import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { clusterSettingsPage } from './cluster-settings-page.ts'

const page = fileURLToPath(new URL('../../../../docs/cluster-settings.md', import.meta.url))

it('is the page in docs/', async () => {
  await expect(clusterSettingsPage()).toMatchFileSnapshot(page)
})
