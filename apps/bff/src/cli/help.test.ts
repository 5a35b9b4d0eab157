import { expect, test } from 'vitest'
import { cliHome } from '../testing/cli-home.ts'
import { runCli } from '../testing/run-cli.ts'

const cli = cliHome()

test('help is had of a verb and of what is inside of it, whichever way one asks', async () => {
  const [inside, ...others] = await Promise.all(
    [
      ['help', 'library', 'save'],
      ['library', 'help', 'save'],
      ['library', 'save', '--help'],
    ].map((words) => runCli(words, cli.home)),
  )
  expect(inside).toMatchObject({ code: 0, stdout: expect.stringContaining('library save [options] <path> <file>') })
  for (const other of others) expect(other).toEqual(inside)
  expect(await runCli(['help', 'compact'], cli.home)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('compact [options] <path>'),
  })
  expect(await runCli(['help', 'library'], cli.home)).toMatchObject({ code: 0, stdout: expect.stringContaining('library VERB') })
})
