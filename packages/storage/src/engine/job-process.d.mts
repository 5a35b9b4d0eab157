/** Options for the Node process that migrates, compacts or checks: what they save is in docs/benchmarks.md. */
export const jobProcessFlags: readonly string[]
/** Environment for such a process, beneath its own: what the user has set wins. */
export const jobProcessEnvironment: Readonly<Record<string, string>>
