// Hono with streamSSE. POST /publish?topic= writes to every reader of the topic; with DATABASE_URL set, a poller looks
// into an outbox table every 500 ms instead, and a reader with Last-Event-ID is given what it missed out of it.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import pg from 'pg'

const POLL_MS = 500
const BATCH = 1000

const app = new Hono()
const topics = new Map()
const pool = process.env.DATABASE_URL ? new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 }) : null
let last = 0

function subscribe(topic, stream) {
  let readers = topics.get(topic)
  if (!readers) topics.set(topic, (readers = new Set()))
  readers.add(stream)
  return () => {
    readers.delete(stream)
    if (readers.size === 0) topics.delete(topic)
  }
}

function publish(topic, message) {
  for (const stream of topics.get(topic) ?? []) void stream.writeSSE(message)
}

async function replay(stream, topic, after) {
  const { rows } = await pool.query(
    'select id, type, data from outbox where id > $1 and topic = $2 and published_at is not null order by id limit 10000',
    [after, topic],
  )
  for (const row of rows) await stream.writeSSE({ id: row.id, event: row.type, data: row.data })
}

app.get('/events', (c) =>
  streamSSE(c, async (stream) => {
    const topic = c.req.query('topic') ?? ''
    const after = c.req.header('Last-Event-ID')
    await stream.writeSSE({ event: 'connected', data: '{}' })
    if (pool && after !== undefined) await replay(stream, topic, after)
    const leave = subscribe(topic, stream)
    await new Promise((resolve) => stream.onAbort(resolve))
    leave()
  }),
)

app.post('/publish', async (c) => {
  const data = await c.req.text()
  last += 1
  publish(c.req.query('topic') ?? '', { id: String(last), event: 'settlement.status_changed', data })
  return c.body(null, 204)
})

async function poll() {
  try {
    const { rows } = await pool.query(
      `with claimed as (
         update outbox set published_at = now()
         where id in (select id from outbox where published_at is null order by id limit $1 for update skip locked)
         returning id, topic, type, data)
       select * from claimed order by id`,
      [BATCH],
    )
    for (const row of rows) publish(row.topic, { id: row.id, event: row.type, data: row.data })
  } catch (error) {
    console.error(error)
  }
  setTimeout(poll, POLL_MS)
}

if (pool) void poll()
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT) })
