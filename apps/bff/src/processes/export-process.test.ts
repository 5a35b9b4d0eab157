import { ExportRequest } from '@nirs-workspace/types'
import { expect, test, vi } from 'vitest'
import { exportToFile, exportToStream } from './export-process.ts'

const fork = vi.hoisted(() => vi.fn())
vi.mock(import('node:child_process'), async (original) => ({ ...(await original()), fork }))

const context = {
  resolved: { root: '/w', name: 'w', duckdb: null, bak: null, arrays: '/w/arrays' },
  catalog: { file: { path: '/c.duckdb' } },
}
const file = { type: 'file', context, request: ExportRequest.parse({ format: 'csv' }), dataset_name: 'd', target: '/t' } as const
const zip = { type: 'zip', context, request: ExportRequest.parse({ format: 'zip' }), scratch: '/s' } as const

test('exports whose process cannot be started give their places back', async () => {
  fork.mockImplementation(() => {
    throw new Error('spawn ENOMEM')
  })
  const { signal } = new AbortController()
  for (let index = 0; index < 5; index += 1) {
    await expect(exportToFile(file, signal)).rejects.toThrow('ENOMEM')
    await expect(exportToStream(zip, signal).next()).rejects.toThrow('ENOMEM')
  }
})
