import { defineConfig } from 'vitest/config'
import { startBuilt } from './scripts/built-entries.ts'

/** The long loops: faults at every operation of every job; docs/guarantees.md says which. `npm run test:faults`. */
export default defineConfig({
  plugins: [startBuilt()],
  test: {
    globalSetup: './scripts/build-server.ts',
    include: ['packages/*/src/**/*.faults.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
