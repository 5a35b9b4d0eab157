import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { DemoSize } from '@nirs-workspace/demo'
import { isStorageError, notWritten, resolveWorkspace, systemCode } from '@nirs-workspace/storage'
import { type Command, Option } from 'commander'
import { userFolders } from '../folders.ts'
import { exitCodes } from './exit-codes.ts'
import { interruptible } from './interruptible.ts'
import { type OutputOptions, printResult, runVerb, say, UsageError } from './output.ts'
import { startServing, withServeOptions } from './serve.ts'
import { parseServeOptions, type ServeFlags } from './serve-options.ts'

interface Options extends ServeFlags, OutputOptions {
  dir?: string
  size: DemoSize
  serve: boolean
}

export const addDemo = (program: Command): void => {
  withServeOptions(
    program
      .command('demo')
      .description('make a realistic legacy workspace (synthetic spectra, really fitted models) and serve it')
      .option('--dir <folder>', 'where; default: the cache folder of this user')
      .addOption(new Option('--size <size>', 'how large').choices(['tiny', 'small', 'large', 'huge']).default('small'))
      .option('--no-serve', 'only make it'),
  ).action((options: Options) => runVerb(options, () => demo(options)))
}

const demo = async (options: Options): Promise<number> => {
  const serveOptions = parseServeOptions(options)
  const directory = resolve(options.dir ?? join(userFolders().cache, 'demo', options.size))
  const made = (await isWorkspace(directory)) ? undefined : await makeWhole(directory, options.size)
  if (options.serve) return startServing([directory], serveOptions, options)
  // Of what was there, nobody knows how it was made.
  printResult(options, { path: directory, made: made !== undefined, ...(made && { size: options.size, ...made }) }, ({ path }) => path)
  return exitCodes.done
}

const makeWhole = async (directory: string, size: DemoSize): ReturnType<typeof make> => {
  try {
    return await make(directory, size)
  } catch (error) {
    throw notWritten(directory, error)
  }
}

/** Made beside and renamed, so that a demo that is there is a whole one. */
const make = async (directory: string, size: DemoSize): Promise<{ predictions: number; datasets: readonly string[] }> => {
  if (!(await isFree(directory))) throw new UsageError(`${directory} holds something else than a workspace. Nothing was changed.`)
  say(`Making the ${size} demo workspace …`)
  const beside = join(dirname(directory), `.demo-${process.pid}`)
  await mkdir(dirname(directory), { recursive: true })
  const { makeDemo } = await import('@nirs-workspace/demo')
  return interruptible(async (signal) => {
    const show = showDone()
    const onProgress = (step: Parameters<typeof show>[0]): void => {
      signal.throwIfAborted()
      show(step)
    }
    try {
      const { predictions, datasets } = await makeDemo({ directory: beside, size, onProgress })
      await rename(beside, directory)
      return { predictions, datasets }
    } finally {
      await rm(beside, { recursive: true, force: true })
    }
  })
}

/** Absent, or an empty folder. */
const isFree = async (directory: string): Promise<boolean> => {
  try {
    return (await readdir(directory)).length === 0
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true
    if (systemCode(error) === 'ENOTDIR') return false
    throw error
  }
}

const showDone = () => {
  let last = 0
  return ({ phase, done, total }: { phase: string; done: number; total: number }): void => {
    if (!process.stderr.isTTY || (done < total && performance.now() - last < 200)) return
    last = performance.now()
    process.stderr.write(`\r\u001b[2K${phase} ${done} of ${total}${done === total ? '\n' : ''}`)
  }
}

const isWorkspace = async (path: string): Promise<boolean> => {
  try {
    await resolveWorkspace(path)
    return true
  } catch (error) {
    if (isStorageError(error, 'workspace_not_found', 'not_a_workspace')) return false
    throw error
  }
}
