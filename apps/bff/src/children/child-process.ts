/**
 * What every child of the server does first: Ctrl-C reaches the whole process group, but only the server decides when to stop, so the
 * interrupt is left to it; when the server is gone (`disconnect`) there is nobody left to work for, nor to read messages, which is no reason
 * to stop half way.
 */
export const followParent = (onParentGone: () => void): void => {
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', onParentGone)
  process.on('disconnect', onParentGone)
  process.stderr.on('error', () => undefined)
}

/** For children that only read: `process.exit` would wait for what the engine is doing, with nobody left to stop it. */
export const endAtOnce = (): void => {
  process.kill(process.pid, 'SIGKILL')
}

/** Sends one message and resolves when it has left this process. */
export const tellParent = (message: object): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
