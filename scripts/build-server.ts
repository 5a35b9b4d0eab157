import { buildServer, ensureToolchain } from './toolchain.mjs'

/** Before tests: the built server is that of the sources. */
export const setup = (): void => {
  buildServer(ensureToolchain())
}
