/** What a file was when it was looked at; a file of the same stamp is the same file. */
export type FileStamp = string

export const stampOf = ({ ino, size, mtimeNs }: { ino: bigint; size: bigint; mtimeNs: bigint }): FileStamp => `${ino}:${size}:${mtimeNs}`
