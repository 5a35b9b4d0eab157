// Preloaded: what is a pipe looks like a terminal, so that the program asks.
for (const stream of [process.stdin, process.stderr]) stream.isTTY = true
