export interface AllowedHosts {
  /** `name:port` exactly as a Host header may say it, lower case. */
  hosts: ReadonlySet<string>
  /** `scheme://name:port` exactly as an Origin header may say it. */
  origins: ReadonlySet<string>
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/**
 * Hosts and origins that this server answers to. Compared as whole strings: nothing is parsed, so nothing malformed can slip
 * through or throw. `extraNames` are names of a laboratory server; they may also stand behind a TLS proxy on its default port.
 */
export const allowedHosts = (port: number, extraNames: readonly string[] = []): AllowedHosts => {
  const names = extraNames.map((name) => name.toLowerCase())
  const local = loopbackNames.map((name) => withPort(name, port))
  const extra = names.flatMap((name) => [withPort(name, port), name])
  return {
    hosts: new Set([...local, ...extra]),
    origins: new Set([...local.map((host) => `http://${host}`), ...extra.flatMap((host) => [`http://${host}`, `https://${host}`])]),
  }
}

const withPort = (name: string, port: number): string => (port === 80 ? name : `${name}:${port}`)
