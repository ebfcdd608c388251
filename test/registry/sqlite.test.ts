import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import { testProcessRegistry } from '../../src/testing/index.ts'

testProcessRegistry({
  name: 'the registry in SQLite',
  async open({ clock }) {
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-registry-'))
    const open = async () =>
      createProcessRegistry(await createSqliteStore({ path: join(folder, 'registry.db'), clock: clock.now }))
    let registry = await open()
    return {
      registry,
      async reopen() {
        await registry.close()
        registry = await open()
        return registry
      },
      async close() {
        await registry.close()
        await rm(folder, { recursive: true })
      },
    }
  },
})
