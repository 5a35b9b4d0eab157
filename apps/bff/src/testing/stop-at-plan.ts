// Preloaded: interrupts the process as soon as it listens for that, which is when its work begins.
process.on('newListener', (event) => {
  if (event === 'SIGINT') setImmediate(() => process.kill(process.pid, 'SIGINT'))
})
