// A worker of graphile-worker: four jobs at one time, each of which reads how long ago it was enqueued. LOCAL_QUEUE is
// the size of its local queue; with one, it completes jobs in batches, too, as its page on performance does.
import { createSocket } from 'node:dgram'
import { run } from 'graphile-worker'

const { DATABASE_URL, LOCAL_QUEUE, CONCURRENCY, REPORTS } = process.env
const [address, port] = REPORTS.split(':')
const socket = createSocket('udp4')

function report(delay) {
  socket.send(String(delay), Number(port), address)
}

// Microseconds by CLOCK_MONOTONIC, as the generator counts them.
function now() {
  return Number(process.hrtime.bigint() / 1000n)
}

const batching = { localQueue: { size: Number(LOCAL_QUEUE) }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }

await run({
  preset: {
    worker: {
      connectionString: DATABASE_URL,
      concurrentJobs: Number(CONCURRENCY),
      ...(LOCAL_QUEUE ? batching : {}),
    },
  },
  taskList: {
    async bench(payload) {
      const delay = now() - payload.sentAt
      if (payload.report) report(delay)
    },
  },
})
report(0)
