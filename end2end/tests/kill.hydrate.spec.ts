import { spawn } from 'node:child_process';
import { EventSource } from 'eventsource';
import { SettlementsPage } from '../pages/dashboard.ts';
import { eventually } from '../fixtures/process.ts';
import type { Envelope, Tidewatch } from '../fixtures/tidewatch.ts';
import { expect, test } from '../fixtures/test.ts';

const KILLS = 20;

// It ends its server: one of its own.
test.use({ settings: {} });

type Reader = { name: string; events: Envelope[]; stop: () => void };

/** curl in a loop, as a shell script would: after each end it goes on from the last whole event. */
function readByCurl(tidewatch: Tidewatch): Reader {
  const events: Envelope[] = [];
  let isOver = false;
  let lastId = '';
  let child: ReturnType<typeof spawn> | undefined;
  const connect = () => {
    if (isOver) return;
    const args = ['-sN', `${tidewatch.url}/api/v1/events?after=earliest`, '-H', `Authorization: Bearer ${tidewatch.key}`];
    if (lastId) args.push('-H', `Last-Event-ID: ${lastId}`);
    child = spawn('curl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const field = (name: string) => frame.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1];
        lastId = field('id') ?? lastId;
        if (field('id')?.startsWith('evt_')) events.push(JSON.parse(field('data') ?? ''));
      }
    });
    child.on('close', () => setTimeout(connect, 50));
  };
  connect();
  return { name: 'curl', events, stop: () => { isOver = true; child?.kill(); } };
}

/** The npm package, which connects again by itself. It gives up at some failures; then a new one goes on. */
function readByEventSource(tidewatch: Tidewatch, types: string[]): Reader {
  const events: Envelope[] = [];
  let isOver = false;
  let lastId = '';
  let source: EventSource | undefined;
  const connect = () => {
    if (isOver) return;
    source = new EventSource(`${tidewatch.url}/api/v1/events?after=${lastId || 'earliest'}`, {
      fetch: (input, init) =>
        fetch(input, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${tidewatch.key}` } }),
    });
    const take = (message: MessageEvent) => {
      lastId = message.lastEventId || lastId;
      if (message.lastEventId.startsWith('evt_')) events.push(JSON.parse(message.data));
    };
    for (const type of [...types, 'connected', 'heartbeat']) source.addEventListener(type, take);
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED) setTimeout(connect, 50);
    };
  };
  connect();
  return { name: 'eventsource', events, stop: () => { isOver = true; source?.close(); } };
}

function check(reader: { name: string; events: Envelope[] }, table: Envelope[]) {
  const ids = reader.events.map((event) => event.eventId);
  expect(new Set(ids).size, `${reader.name}: each event once`).toBe(ids.length);
  expect([...ids].sort(), `${reader.name}: every committed event, and no other`).toEqual(table.map((event) => event.eventId).sort());
  const versions = new Map<string, number>();
  for (const event of reader.events) {
    expect(event.aggregateVersion, `${reader.name}: in order, settlement ${event.aggregateId}`).toBe((versions.get(event.aggregateId) ?? 0) + 1);
    versions.set(event.aggregateId, event.aggregateVersion);
  }
}

test(`kill -9 of the server, ${KILLS} times while the simulator writes: every reader has every event once`, async ({ page, operator, tidewatch }) => {
  test.setTimeout(300_000);
  // What the page's own program hears, by stream and by poll, in the order in which it hears it.
  await page.addInitScript(() => {
    const heard: unknown[] = [];
    Object.assign(window, { heard });
    const listen = EventTarget.prototype.addEventListener;
    EventSource.prototype.addEventListener = function (this: EventSource, type: string, listener: any, options?: any) {
      const wrapped = (event: MessageEvent) => {
        if (event.lastEventId?.startsWith('evt_')) heard.push(JSON.parse(event.data));
        listener.call(this, event);
      };
      listen.call(this, type, wrapped as EventListener, options);
    } as typeof EventSource.prototype.addEventListener;
    const fetchAnswer = window.fetch;
    window.fetch = async (...args) => {
      const answer = await fetchAnswer(...args);
      const url = new URL(answer.url || '/', location.href);
      if (answer.ok && url.pathname === '/api/v1/events' && answer.headers.get('content-type')?.includes('json')) {
        const text = await answer.text();
        heard.push(...JSON.parse(text).events);
        return new Response(text, { status: answer.status, headers: answer.headers });
      }
      return answer;
    };
  });
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();

  // Whatever the simulator's modules tell of: an EventSource hears the types alone that it asks for by name.
  const told = ['created', 'network_selected', 'gas_estimated', 'status_changed', 'confirmation_progress', 'settled', 'failed',
    'updated', 'received', 'refunded', 'started', 'progressed', 'completed', 'added', 'quoted', 'approved'];
  const types = ['settlement', 'order', 'payment', 'invoice', 'balance', 'ticket', 'incident', 'server', 'automation', 'log', 'user']
    .flatMap((module) => told.map((name) => `${module}.${name}`));
  const readers = [readByCurl(tidewatch), readByEventSource(tidewatch, types)];
  tidewatch.startSimulator('40/s');
  try {
    for (let kill = 1; kill <= KILLS; kill++) {
      // In mid-stream: each reader has received something since the last time.
      const before = readers.map((reader) => reader.events.length);
      await eventually(`every reader to receive again before kill ${kill}`, async () =>
        readers.every((reader, index) => reader.events.length > before[index] + 3));
      await tidewatch.killServer();
      await tidewatch.startServer();
    }
    await tidewatch.stopSimulator();
    const table = await tidewatch.publishedEvents();
    expect(table.length).toBeGreaterThan(KILLS * 3);
    // Not by the last one: an urgent event comes before those that it overtakes.
    const missing = (events: Envelope[]) => {
      const heard = new Set(events.map((event) => event.eventId));
      return table.map((event) => event.eventId).filter((id) => !heard.has(id));
    };
    for (const reader of readers) {
      await expect.poll(() => missing(reader.events), { message: `what ${reader.name} lacks`, timeout: 30_000 }).toEqual([]);
      check(reader, table);
    }
    await settlements.shows('live', 60_000);
    const heard = () => page.evaluate(() => (window as unknown as { heard: Envelope[] }).heard);
    await expect.poll(async () => missing(await heard()), { message: 'what the page lacks', timeout: 30_000 }).toEqual([]);
    // The page may hear an event by poll and by stream; its program drops what it has seen.
    const once = [...new Map((await heard()).map((event) => [event.eventId, event])).values()];
    check({ name: 'page', events: once }, table);
    await settlements.equalsAFreshLoad();
    console.log(`${KILLS} kills, ${table.length} events in the table; ` +
      [...readers.map((reader) => `${reader.name} ${reader.events.length}`), `page ${(await heard()).length}`].join(', '));
  } finally {
    readers.forEach((reader) => reader.stop());
  }
});
