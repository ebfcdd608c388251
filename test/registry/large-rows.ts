import { MAX_INLINE_BYTES } from '../../src/model/blob.ts'
import type { ProcessId } from '../../src/model/ids.ts'
import { createProcessRegistry, type ProcessRegistry } from '../../src/registry/registry.ts'
import type { ProcessStore } from '../../src/registry/store.ts'
import { EXTERNAL, registration } from '../../src/testing/registry-suite/fixtures.ts'

/** So few that each is soon referred to by nobody, and then written again. */
const CONTENTS = 3

const metadataOf = (letters: string): string => letters.repeat(MAX_INLINE_BYTES)

/** Registers and ends a process whose metadata is stored as a blob, the same one for the same letters. */
export async function writeLargeRow(registry: ProcessRegistry, id: string, letters: string): Promise<void> {
  const input = { type: 'external', metadata: metadataOf(letters) } as const
  await registry.register(registration({ ...EXTERNAL, id, input }))
  const authority = { authority: 'external_owner', grantedTo: 'a test' } as const
  await registry.complete(id, { status: 'completed', value: null }, authority)
}

export async function isLargeRowWhole(
  registry: ProcessRegistry,
  id: string,
  letters: string,
): Promise<boolean> {
  const input = (await registry.get(id))?.input
  return input?.type === 'external' && input.metadata === metadataOf(letters)
}

/** Writes rows, each read back and deleted again. The last one stays; its letters are returned. */
export async function replaceLargeRows(
  store: ProcessStore,
  name: string,
  { rounds, first }: { readonly rounds: number; readonly first: number },
): Promise<string> {
  const registry = createProcessRegistry(store)
  let letters = ''
  for (let round = 0; round < rounds; round++) {
    const id = `${name} ${round}`
    letters = String((first + round) % CONTENTS)
    await writeLargeRow(registry, id, letters)
    if (!(await isLargeRowWhole(registry, id, letters))) throw new Error(`"${id}" is not what was written`)
    if (round < rounds - 1) await store.transaction(tx => tx.deleteProcess(id as ProcessId))
  }
  return letters
}
