import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cliHome } from '../testing/cli-home.ts'
import { treeHash } from '../testing/tree-hash.ts'
import { copyDemo } from '../testing/workspace-copies.ts'

const cli = cliHome()

test.skipIf(process.platform === 'win32')('a demo where nothing can be written is refused as everything else that writes', async () => {
  const link = join(cli.home, 'link')
  await symlink(join(cli.home, 'nowhere'), link)
  const { code, answer } = await cli.json('demo', '--size', 'tiny', '--no-serve', '--dir', join(link, 'demo'))
  expect([code, answer]).toMatchObject([
    5,
    { error: { code: 'write_failed', detail: expect.stringContaining(`${join(link, 'demo')} could not be written`) } },
  ])
})

test('a workspace that is there is neither made again nor given a size', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  const { code, answer } = await cli.json('demo', '--size', 'tiny', '--no-serve', '--dir', path)
  expect([code, answer, treeHash(path)]).toEqual([0, { path, made: false }, before])
})
