import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { makeProgram } from '../src/cli/program.ts'

const page = fileURLToPath(new URL('../../../docs/command-line.md', import.meta.url))
const readme = fileURLToPath(new URL('../../../README.md', import.meta.url))

/** Every verb by its full name; of a group of verbs those inside of it. */
const verbsOf = (command: Command, before: readonly string[] = []): [name: string, verb: Command][] =>
  command.commands.flatMap((verb) => {
    const path = [...before, verb.name()]
    return verb.commands.length > 0 ? verbsOf(verb, path) : [[path.join(' '), verb]]
  })

test('docs/command-line.md has every verb with an example and all its options, and no other', async () => {
  const sections = new Map((await readFile(page, 'utf8')).split(/^### /m).map((text) => [text.slice(0, text.indexOf('\n')), text]))
  sections.delete('# The command line')
  const verbs = verbsOf(makeProgram())
  expect([...sections.keys()].toSorted()).toEqual(verbs.map(([name]) => name).toSorted())
  for (const [name, verb] of verbs) {
    const text = sections.get(name) ?? ''
    const documented = [...text.matchAll(/^- `([^`]+)`: (.*)$/gm)].map(([, flags, description]) => ({ flags, description }))
    const options = verb.options.filter(({ long }) => long !== '--json')
    expect(documented, name).toEqual(
      options.map(({ flags, description }) => ({
        flags,
        description: expect.stringMatching(new RegExp(`^${RegExp.escape(description)}`)),
      })),
    )
    expect(text, name).toMatch(/^```console\n\$ nirs-workspace /m)
  }
})

test('the README names every verb', async () => {
  const text = await readFile(readme, 'utf8')
  expect(
    makeProgram()
      .commands.map((verb) => verb.name())
      .filter((name) => !text.includes(`\`${name}\``)),
  ).toEqual([])
})
