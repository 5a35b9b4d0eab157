export interface Log {
  info(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

const describe = (value: unknown): unknown =>
  value instanceof Error ? { name: value.name, message: value.message.slice(0, 2000), stack: value.stack?.slice(0, 4000) } : value

/** One JSON line per entry, so that a name with line breaks or escape codes stays one line of plain text. */
export const createLog = (write: (line: string) => void, verbose = false): Log => {
  const entry = (level: string, message: string, fields: Record<string, unknown> = {}) => {
    const shown = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, describe(value)]))
    write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...shown })}\n`)
  }
  return {
    info: (message, fields) => {
      if (verbose) entry('info', message, fields)
    },
    error: (message, fields) => entry('error', message, fields),
  }
}
