/** Where Node 24 and pnpm are. */
export interface Toolchain {
  readonly node: string
  readonly pnpm: string
  readonly env: NodeJS.ProcessEnv
}

/** Fetches what is missing. */
export function ensureToolchain(): Toolchain
/** Builds the server, unless its sources are those of the last build; the path of what begins it. */
export function buildServer(tools: Toolchain): string
