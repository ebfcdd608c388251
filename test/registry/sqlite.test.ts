import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createProcessRegistry } from '../../src/registry/registry.ts'
import { createSqliteStore } from '../../src/registry/sql/sqlite-store.ts'
import { testProcessRegistry } from '../../src/testing/index.ts'
import { removeScanned } from '../support/temporary-folder.ts'

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
      async damageBlob(hash, damage) {
        const database = new DatabaseSync(join(folder, 'registry.db'), { enableForeignKeyConstraints: false })
        database
          .prepare(
            damage === 'remove'
              ? 'delete from blobs where hash = ?'
              : `update blobs set text = '1' where hash = ?`,
          )
          .run(hash)
        database.close()
      },
      async close() {
        await registry.close()
        await removeScanned(folder)
      },
    }
  },
})
