import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [react()],
  test: { name: 'web', environment: 'jsdom', setupFiles: ['./test/setup.ts'], testTimeout: 300_000, include: ['src/**/*.test.{ts,tsx}'] },
})
