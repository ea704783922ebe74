// A service that takes events as Tidewatch's API does, the usual way on Node: each request is a transaction that writes
// its events to an outbox table, on a pool of CONNECTIONS, and is answered with 202 once that is committed.
import { randomUUID } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import pg from 'pg'

// Named, so that each connection prepares them once, as Tidewatch's connections do.
const ONE = {
  name: 'one',
  text: `insert into outbox (event_id, channel, type, aggregate_type, aggregate_id, payload)
         values ($1, $2, $3, $4, $5, $6)`,
}
const MANY = {
  name: 'many',
  text: `insert into outbox (event_id, channel, type, aggregate_type, aggregate_id, payload)
         select "eventId", "channelName", "eventType", "aggregateType", "aggregateId", payload
         from json_to_recordset($1::json) as event ("eventId" uuid, "channelName" text, "eventType" text,
           "aggregateType" text, "aggregateId" text, payload jsonb)`,
}

const { DATABASE_URL, CONNECTIONS, PORT } = process.env
const app = new Hono()
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(CONNECTIONS) })

function insertion(events) {
  if (events.length > 1) return { ...MANY, values: [JSON.stringify(events)] }
  const [{ eventId, channelName, eventType, aggregateType, aggregateId, payload }] = events
  return { ...ONE, values: [eventId, channelName, eventType, aggregateType, aggregateId, JSON.stringify(payload)] }
}

async function record(events) {
  const client = await pool.connect()
  let failure
  try {
    await client.query('begin')
    await client.query(insertion(events))
    await client.query('commit')
  } catch (error) {
    failure = error
    throw error
  } finally {
    // With a failure it is closed, which rolls back.
    client.release(failure)
  }
}

app.post('/api/v1/publishers/events/publish', async (c) => {
  const body = await c.req.json()
  const events = [body].flat().map((event) => ({ ...event, eventId: randomUUID() }))
  await record(events)
  return c.json({ events: events.map(({ eventId }) => ({ eventId: `evt_${eventId}` })) }, 202)
})

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) })
