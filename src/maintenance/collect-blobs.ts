import type { BlobCollection, BlobOperations } from '../registry/registry.ts'

/**
 * One round through the blob store, a page at each step, so that whoever has other duties sees to them in between. It
 * removes what no process refers to; what is written meanwhile stays. Repeating it is harmless.
 */
export async function* collectBlobs(registry: BlobOperations): AsyncGenerator<BlobCollection, void, void> {
  let after: string | undefined
  do {
    const page = await registry.collectBlobs(after === undefined ? {} : { after })
    yield page
    after = page.next
  } while (after !== undefined)
}
