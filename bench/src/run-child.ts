import { spawn } from 'node:child_process'
import { jobProcessEnvironment, jobProcessFlags } from '@nirs-workspace/storage/job-process'
import * as z from 'zod'
import { builtChild } from './build-children.ts'

const Peak = z.object({ peak_rss_kb: z.number() })

/**
 * Runs one of `children/` in a process of its own, so that its memory and its open files are its alone. The child writes one JSON
 * document to standard output; `peak_rss_kb` is added by `answer`.
 */
export const runChild = async <S extends z.ZodObject>(
  name: string,
  args: readonly string[],
  schema: S,
): Promise<z.output<S> & { peak_rss_kb: number; milliseconds: number }> => {
  const file = await builtChild(name)
  const started = performance.now()
  const env = { ...jobProcessEnvironment, ...process.env }
  const child = spawn(process.execPath, [...jobProcessFlags, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(`The measurement "${name}" ended with exit code ${code}.`)
  const answer: unknown = JSON.parse(text)
  return { ...schema.parse(answer), ...Peak.parse(answer), milliseconds: performance.now() - started }
}
