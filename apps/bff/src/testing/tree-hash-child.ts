import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder = ''] = process.argv.slice(2)
for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
  const path = join(folder, name)
  const status = lstatSync(path, { bigint: true })
  const content = status.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
  process.stdout.write(`${name} ${status.mode} ${status.size} ${status.mtimeNs} ${content}\n`)
}
