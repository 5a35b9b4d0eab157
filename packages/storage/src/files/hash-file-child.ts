import { hashFile } from './hash-file.ts'

/** The process behind hash-attached-file.ts. */
process.stdout.write(await hashFile(process.argv[2] ?? ''))
