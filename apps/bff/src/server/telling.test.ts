import { expect, test } from 'vitest'
import { tellAll, tellWithoutPaths } from './telling.ts'

const telling = tellWithoutPaths({ root: '/srv/lab', hidden: ['/home/Jane Doe', '/home/Jane Doe/.cache/nirs-workspace'] })

test.each([
  ['There is no /srv/lab/maize/2026. Nothing was created.', 'There is no maize/2026. Nothing was created.'],
  ['/srv/lab holds no store.duckdb.', 'the workspace root holds no store.duckdb.'],
  ['/srv/laboratory/x', '…/x'],
  ["IO Error: Cannot open file '/srv/lab/a b/store.duckdb': gone", "IO Error: Cannot open file 'a b/store.duckdb': gone"],
  ['The cache folder /home/Jane Doe/.cache/nirs-workspace/catalogs cannot be written', 'The cache folder …/catalogs cannot be written'],
  ['Process 7 (/usr/bin/python3) has the store open.', 'Process 7 (…/python3) has the store open.'],
  ['C:\\lab\\store.duckdb is empty', '…/store.duckdb is empty'],
  ['arrays/maize.parquet, row group 2: mg/kg and/or g', 'arrays/maize.parquet, row group 2: mg/kg and/or g'],
  ['2026/03/01 1 / 2', '2026/03/01 1 / 2'],
])('S1: %j is told to the network as %j', (text, told) => {
  expect(telling.text(text)).toBe(told)
  expect(tellAll.text(text)).toBe(text)
})

test('S1: what JSON says about errors and processes is told without paths, data as it is', () => {
  const body = {
    path: '/srv/lab/x',
    error: { detail: 'no /etc/x', hint: 'see /etc/y' },
    locked_by: { pid: 1, command: '/usr/bin/python3' },
  }
  expect(JSON.parse(telling.json(body))).toEqual({
    path: '/srv/lab/x',
    error: { detail: 'no …/x', hint: 'see …/y' },
    locked_by: { pid: 1, command: '…/python3' },
  })
  expect(tellAll.json(body)).toBe(JSON.stringify(body))
})
