import { readFileSync } from 'node:fs'
import * as z from 'zod'

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')

/** The version of this package, as `GET /api/health` and `--version` tell it. */
export const version = z.object({ version: z.string() }).parse(JSON.parse(manifest)).version
