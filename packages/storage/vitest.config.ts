import { defineConfig } from 'vitest/config'

// Projects do not inherit the root's limits. Real engines and files on a busy machine need more than the default of 5 s.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } })
