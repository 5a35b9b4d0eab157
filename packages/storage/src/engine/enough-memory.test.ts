import { expect, test } from 'vitest'
import * as z from 'zod'
import { withEnoughMemory } from './enough-memory.ts'
import { withEngine } from './open-engine.ts'

test('what does not fit into the usual memory is a coded error, and done with more of it', async () => {
  await withEngine({ memoryLimit: '40MB', threads: 1 }, async (engine) => {
    const work = () => engine.one(z.object({ n: z.number() }), 'SELECT len(list(i)) AS n FROM range(8000000) t(i)')
    await expect(work()).rejects.toMatchObject({ code: 'out_of_memory', fields: { hint: expect.stringContaining('memory') } })
    expect(await withEnoughMemory(engine, work)).toEqual({ n: 8_000_000 })
  })
})
