// Writes docs/storage-reference.md from what the compiler declares of packages/storage; with --check, tells whether it is as it would be written.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openTypes } from './reference-types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'packages', 'storage', 'src')
const page = join(root, 'docs', 'storage-reference.md')

/** The declarations of a package, one file per source file, comments included. */
const declare = (name, folder) => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const place = join(root, 'packages', name)
  const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rootDir', join(place, 'src'), '--outDir', folder]
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', place, ...options], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The package does not compile:\n${stdout}`)
}

/** What index.ts exports, in its order: `{ file, names }`, names null for all of a file; of which, or of all, only the type is exported. */
const readExports = () => {
  const statements = readFileSync(join(source, 'index.ts'), 'utf8').matchAll(/^export (type )?(?:\*|\{([^}]*)\}) from '\.\/(.*)\.ts'$/gm)
  return [...statements].map(([, asTypes, list, file]) => {
    const listed = list?.split(',').map((name) => name.trim())
    const isType = (name) => asTypes !== undefined || listed?.includes(`type ${name}`) === true
    return { file, names: listed?.map((name) => name.replace(/^type /, '')).filter((name) => name !== '') ?? null, isType }
  })
}

/** Top-level declarations of a file: name, comment, text. The compiler indents everything that is inside of one. */
const readDeclarations = (path) => {
  const found = []
  let comment = []
  let block = null
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const start = /^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type|enum) (\w+)/.exec(line)
    if (start) {
      block = { name: start[1], comment: proseOf(comment), lines: [line] }
      found.push(block)
      comment = []
    } else if (/^(\s+\S|\})/.test(line) && block !== null && comment.length === 0) block.lines.push(line)
    else if (/^(\/\*\*| \*)/.test(line)) {
      if (line.startsWith('/**')) comment = []
      comment.push(line)
      block = null
    } else block = null
  }
  return found
}

const proseOf = (lines) =>
  lines
    .map((line) =>
      line
        .replace(/^\/\*\* ?/, '')
        .replace(/^ \*\/$/, '')
        .replace(/^ \* ?/, '')
        .replace(/ ?\*\/$/, ''),
    )
    .join('\n')
    .trim()

const codeOf = (lines) =>
  lines
    .filter((line) => !/^\s+(#private;|private )/.test(line))
    .map((line) => line.replace(/^export (declare )?/, '').replace(/^( +)/, (spaces) => spaces.slice(spaces.length / 2)))
    .join('\n')
    .replace(/;$/gm, '')

const isTypeText = (line) => /^export (?:declare )?(?:interface|type|abstract class|class|enum) /.test(line)

/** Of a schema of which only the type is exported: the type, with the schema that it is inferred from in the place of its name. */
const typeOf = (parts) => {
  const [schema, type] = [false, true].map((wanted) => parts.find(({ lines }) => isTypeText(lines[0]) === wanted))
  if (schema === undefined || type === undefined) return parts.map(({ lines }) => codeOf(lines)).join('\n')
  const shape = codeOf(schema.lines).replace(/^const \w+: /, '')
  return codeOf(type.lines).replace(/typeof \w+/, () => shape)
}

const sectionOf = (file) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : file)

const collect = (folder) => {
  const sections = new Map()
  const mentioned = new Set()
  for (const { file, names, isType } of readExports()) {
    const path = join(folder, `${file}.d.ts`)
    const declared = readDeclarations(path)
    const foreign = namesFromTypes(path)
    const isNamed = (name) => !isType(name) || declared.some((one) => one.name === name && isTypeText(one.lines[0]))
    const wanted = names ?? [...new Set(declared.map(({ name }) => name))].filter(isNamed)
    for (const name of wanted) {
      const parts = declared.filter((one) => one.name === name)
      if (parts.length === 0) throw new Error(`${file}.ts exports ${name}, but its declaration was not found.`)
      const entries = sections.get(sectionOf(file)) ?? []
      const code = isType(name) ? typeOf(parts) : parts.map(({ lines }) => codeOf(lines)).join('\n')
      entries.push({ name, comment: parts.map(({ comment }) => comment).find((text) => text !== '') ?? '', code })
      sections.set(sectionOf(file), entries)
      for (const word of wordsOf(code)) if (foreign.has(word)) mentioned.add(foreign.get(word))
    }
  }
  return { sections: [...sections].sort(([a], [b]) => (a < b ? -1 : 1)), mentioned }
}

/** What a file takes from packages/types: the name that it has there, by the one that it has here. */
const namesFromTypes = (path) => {
  const text = readFileSync(path, 'utf8')
  const lists = [...text.matchAll(/^import (?:type )?\{([^}]*)\} from '@nirs-workspace\/types(?:\/[\w-]+)?'/gm)].flatMap(([, list]) =>
    list.split(','),
  )
  const inline = [...text.matchAll(/import\('@nirs-workspace\/types'\)\.(\w+)/g)].map(([, name]) => name)
  const names = [...lists, ...inline].map((name) => name.trim().replace(/^type /, ''))
  return new Map(names.map((name) => name.split(' as ')).map(([there, here]) => [here ?? there, there]))
}

const wordsOf = (code) => new Set(code.replace(/\/\*[\s\S]*?\*\/|'[^']*'/g, '').match(/\w+/g) ?? [])

/** The types that are mentioned, and those that these mention, by name. */
const collectTypes = (mentioned, describeType) => {
  const found = new Map()
  const waiting = [...mentioned]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const type = found.has(name) ? null : describeType(name)
    if (type === null) continue
    found.set(name, { name, ...type })
    waiting.push(...wordsOf(type.code))
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The name that a heading can be linked to by: a second one of the same letters gets a number. */
const anchors = () => {
  const used = new Map()
  return (heading) => {
    const plain = heading.toLowerCase().replaceAll(' ', '-')
    const before = used.get(plain) ?? 0
    used.set(plain, before + 1)
    return before === 0 ? plain : `${plain}-${before}`
  }
}

const introduction = `# Reference of the storage library

What \`@nirs-workspace/storage\` exports, as the compiler declares it. Written by \`npm run reference\` and compared by \`npm test\`: it is edited in the
comments of \`packages/storage/src\` and \`packages/types/src\`. How to use it is in [storage-library.md](storage-library.md).

What the functions take and give that crosses the wire too is exported by \`@nirs-workspace/types\` and stands under [types](#in-types), schemas as
the types that they check. A field with a default may be left out of what is given; in what comes back it is there.`

const describe = (sections) => {
  const anchorOf = anchors()
  const links = []
  const body = []
  for (const [name, entries] of sections) {
    const place = anchorOf(`In ${name}`)
    body.push(`## In ${name}`)
    const names = []
    for (const { name: title, comment, code } of entries) {
      names.push(`[${title}](#${anchorOf(title)})`)
      body.push(`### ${title}`, ...(comment === '' ? [] : [comment]), `\`\`\`ts\n${code}\n\`\`\``)
    }
    links.push(`- [${name}](#${place}): ${names.join(', ')}`)
  }
  return `${[introduction, links.join('\n'), ...body].join('\n\n')}\n`
}

const make = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nirs-reference-'))
  try {
    const [storage, types] = [join(folder, 'storage'), join(folder, 'types')]
    declare('storage', storage)
    declare('types', types)
    const { sections, mentioned } = collect(storage)
    const described = collectTypes(mentioned, await openTypes(root, readDeclarations, codeOf, types))
    return describe([...sections, ['types', described]])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const text = await make()
if (!process.argv.includes('--check')) writeFileSync(page, text)
else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  process.stderr.write('docs/storage-reference.md is not what packages/storage exports now. Run: npm run reference\n')
  process.exitCode = 1
}
