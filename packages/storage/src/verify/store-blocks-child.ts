import { readStoreBlocks } from './store-blocks.ts'

/** The process behind `checkStoreBlocks`. */
process.stdout.write(JSON.stringify(await readStoreBlocks(process.argv[2] ?? '')))
