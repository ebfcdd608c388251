import { expect } from 'vitest'
import type { Case } from './harness.ts'

const REF = 'process-env:sha256:0a'
const BYTES = Uint8Array.from([0, 255, 10, 13, 0])

export function environmentCases(it: Case): void {
  it('an environment comes back byte for byte', async ({ registry }) => {
    await registry.putEnv(REF, BYTES)
    expect(await registry.getEnv(REF)).toEqual(BYTES)
    await registry.putEnv('process-env:sha256:0b', new Uint8Array(0))
    expect(await registry.getEnv('process-env:sha256:0b')).toEqual(new Uint8Array(0))
  })

  it('one that was never put is absent', async ({ registry }) => {
    expect(await registry.getEnv(REF)).toBeUndefined()
  })

  it('the first bytes of a ref stay (§6 #165)', async ({ registry }) => {
    await registry.putEnv(REF, BYTES)
    await registry.putEnv(REF, BYTES)
    await registry.putEnv(REF, Uint8Array.from([9]))
    expect(await registry.getEnv(REF)).toEqual(BYTES)
  })

  it('what the caller does to its bytes afterwards changes nothing', async ({ registry }) => {
    const bytes = Uint8Array.from(BYTES)
    await registry.putEnv(REF, bytes)
    bytes.fill(7)
    const read = await registry.getEnv(REF)
    expect(read).toEqual(BYTES)
    read?.fill(7)
    expect(await registry.getEnv(REF)).toEqual(BYTES)
  })
}
