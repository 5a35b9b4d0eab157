// Preloaded: interrupts the process as soon as it listens for that, which is when its work begins; twice, as Ctrl-C under npm does.
const interrupt = (): void => void process.kill(process.pid, 'SIGINT')
process.on('newListener', (event) => {
  if (event !== 'SIGINT') return
  setImmediate(interrupt)
  setTimeout(interrupt, 60)
})
