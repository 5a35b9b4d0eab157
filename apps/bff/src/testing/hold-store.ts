import { attachWritable, Engine } from '@nirs-workspace/storage'

/**
 * Stands in for a training process in Python: opens the store for writing, says so, runs the statements it is sent, and lets go when it
 * is told to.
 */
const [path = ''] = process.argv.slice(2)
const engine = await Engine.open()
await attachWritable(engine, path, 'store')
process.send?.('holding')
process.on('message', (message) => {
  void (async () => {
    if (message === 'release') {
      engine.close()
      process.exit(0)
    }
    await engine.run(String(message))
    process.send?.('done')
  })()
})
