import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'bff',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // The many short-lived processes of these tests start faster with their compiled code at hand.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'nirs-workspace-compiled') },
  },
})
