import { expect, test } from 'vitest'
import { defineHost, definePlugin } from '../../src/index.ts'
import { tryParts } from '../../src/runtime/runtime.ts'

const registry = { description: 'none', open: () => Promise.reject(new Error('not opened here')) }

test('a plugin that cannot be disposed of keeps no other from it, and is told', async () => {
  const disposed: string[] = []
  const plugin = (name: string, isBroken = false) =>
    definePlugin(name, () => ({
      hooks: {
        dispose() {
          disposed.push(name)
          if (isBroken) throw new Error(`${name} is broken`)
        },
      },
    }))
  const host = defineHost({ registry, plugins: [plugin('first'), plugin('second', true), plugin('third')] })
  await expect(tryParts(host)).rejects.toThrow('second is broken')
  expect(disposed).toEqual(['third', 'second', 'first'])
})
