import { readFileSync, realpathSync } from 'node:fs'
import { isIP } from 'node:net'
import { makeToken } from '../guard/token.ts'
import { UsageError } from './output.ts'
import { parseCount } from './parse-filters.ts'

/** As commander hands them over. */
export interface ServeFlags {
  port: string
  host: string
  allowHost: string[]
  open: boolean
  token: boolean
  tokenFile?: string
  readOnly?: boolean
  workspaceRoot?: string
}

export interface ServeOptions {
  port: number
  host: string
  allowedNames: string[]
  open: boolean
  token: string | undefined
  readOnly: boolean
  workspaceRoot: string | undefined
  /** Reached from other machines. */
  isNetwork: boolean
}

const loopback = new Set(['127.0.0.1', 'localhost', '::1'])
const minimumTokenLength = 16

/** Checks how the options go together: what the network can reach must be told its name, its folder and its token. */
export const parseServeOptions = (flags: ServeFlags): ServeOptions => {
  const isLocal = loopback.has(flags.host)
  if (!flags.token && !isLocal) throw new UsageError('--no-token is for this machine only; with --host a --token-file is needed.')
  if (!isLocal) requireForNetwork(flags)
  return {
    port: parseCount(flags.port, '--port', 0, 65_535),
    host: flags.host,
    allowedNames: [...flags.allowHost, ...(isLocal || isAnyAddress(flags.host) ? [] : [hostInHeader(flags.host)])],
    open: flags.open,
    token: flags.token ? readToken(flags.tokenFile) : undefined,
    readOnly: flags.readOnly === true,
    workspaceRoot: flags.workspaceRoot === undefined ? undefined : existingFolder(flags.workspaceRoot),
    isNetwork: !isLocal,
  }
}

const requireForNetwork = (flags: ServeFlags): void => {
  const missing = [
    ...(flags.tokenFile === undefined ? ['--token-file FILE'] : []),
    ...(flags.allowHost.length === 0 ? ['--allow-host NAME'] : []),
    ...(flags.workspaceRoot === undefined ? ['--workspace-root FOLDER'] : []),
  ]
  if (missing.length > 0) throw new UsageError(`To be reached from other machines, give ${missing.join(', ')} as well.`)
}

const isAnyAddress = (host: string): boolean => host === '0.0.0.0' || host === '::'

const hostInHeader = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host)

const existingFolder = (path: string): string => {
  try {
    return realpathSync(path)
  } catch (error) {
    throw new UsageError(`There is no folder ${path}.`, { cause: error })
  }
}

const readToken = (file: string | undefined): string => {
  if (file === undefined) return makeToken()
  const token = readText(file).trim()
  if (token.length < minimumTokenLength || !/^[\w.~-]+$/.test(token)) {
    throw new UsageError(`The token in ${file} must have at least ${minimumTokenLength} characters, of letters, digits and . _ ~ - only.`)
  }
  return token
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`The token file ${file} cannot be read.`, { cause: error })
  }
}
