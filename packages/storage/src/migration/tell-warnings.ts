/** Says what no result has a place for: on the standard error of the process, which is in the log of a job. */
export const tellWarnings = (warnings: readonly string[]): void => {
  for (const text of warnings) process.emitWarning(text, { code: 'NIRS_WORKSPACE_RECOVERY' })
}
