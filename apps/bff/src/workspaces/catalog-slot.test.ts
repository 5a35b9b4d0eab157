import { Engine } from '@nirs-workspace/storage'
import { expect, test } from 'vitest'
import { CatalogSlot } from './catalog-slot.ts'

test('a catalog that comes after the slot was closed is closed, and serves nobody', async () => {
  const engine = await Engine.open()
  let closed = 0
  const close = () => {
    closed += 1
    engine.close()
  }
  const slot = new CatalogSlot()
  slot.close()
  slot.put({ engine, file: { path: '', fingerprint: '', built_at: '' }, close })
  expect([closed, slot.current, await slot.use(() => Promise.resolve('served'))]).toEqual([1, undefined, undefined])
})
