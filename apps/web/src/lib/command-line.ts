/** A path as it is typed behind a command: in quotes when a shell would read something into it. */
export const quotedPath = (path: string): string => (/^[\w./:-]+$/.test(path) ? path : JSON.stringify(path))
