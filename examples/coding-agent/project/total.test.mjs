import assert from 'node:assert/strict'
import { test } from 'node:test'
import { total } from './total.mjs'

test('an empty basket costs nothing', () => {
  assert.equal(total([]), 0)
})

test('three of an item cost three times its price', () => {
  assert.equal(total([{ price: 250, quantity: 3 }]), 750)
})
