import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { newKey, publish, sign } from '../fixtures/publishers.ts';
import { expect, test } from '../fixtures/test.ts';
import { Client, type Transport } from '../fixtures/sockets.ts';
import { Tidewatch } from '../fixtures/tidewatch.ts';

const clients: Client[] = [];
const aborts: AbortController[] = [];

async function connect(tidewatch: Tidewatch, transport: Transport, key = tidewatch.key): Promise<Client> {
  const client = await Client.connect(tidewatch.url, key, transport);
  clients.push(client);
  return client;
}

test.afterEach(() => {
  clients.splice(0).forEach((client) => client.close());
  aborts.splice(0).forEach((abort) => abort.abort());
});

for (const transport of ['polling', 'websocket'] as const) {
  test.describe(transport, () => {
    test('listens to a public channel, and to no other, until it has enough', async ({ tidewatch }) => {
      const client = await connect(tidewatch, transport);
      expect(await client.ask('listen', { channelName: 'orders' })).toMatchObject({ ok: true, channelName: 'orders', recovered: true });
      expect((await client.told('Success')).data).toMatchObject({ channelName: 'orders' });
      await publish(tidewatch, 'others', 'not mine');
      const id = await publish(tidewatch, 'orders', { n: 1 });
      const [event] = await client.received(1);
      expect(event).toMatchObject({ channelName: 'orders', eventId: id, eventType: 'message.published', payload: { n: 1 } });
      expect(event.position).toBeGreaterThan(0);
      expect(await client.ask('remove', { channelName: 'orders' })).toMatchObject({ ok: true });
      expect(await client.ask('remove', { channelName: 'orders' })).toMatchObject({ ok: false, problem: { status: 404 } });
      await publish(tidewatch, 'orders', 'after it has left');
      await client.ask('listen', { channelName: 'last' });
      await publish(tidewatch, 'last', 'last');
      await client.received(2);
      expect(client.events.map((event) => event.channelName)).toEqual(['orders', 'last']);
    });

    test('is let into a private channel by a token for it, and told why not otherwise', async ({ tidewatch }) => {
      const client = await connect(tidewatch, transport);
      const refused = async (token?: string) => (await client.ask('listen', { channelName: 'private-a', token })).problem;
      expect(await refused()).toMatchObject({ status: 403, channel: 'private-a', detail: expect.stringContaining('needs a signed token') });
      expect(await refused(await sign(tidewatch, 'private-b'))).toMatchObject({ detail: expect.stringContaining('private-b') });
      expect(await refused('x.y.z')).toMatchObject({ status: 403 });
      expect(client.system.filter((message) => message.code === 'Error')).toHaveLength(3);
      expect(await client.ask('listen', { channelName: 'a b' })).toMatchObject({ ok: false, problem: { status: 422 } });
      expect(await client.ask('listen', { channelName: 'private-a', token: await sign(tidewatch, 'private-a') })).toMatchObject({ ok: true });
      await publish(tidewatch, 'private-a', 'secret');
      expect((await client.received(1))[0]).toMatchObject({ channelName: 'private-a', payload: 'secret' });
    });

    test('is refused with a reason that its connect_error tells', async ({ tidewatch }) => {
      const narrow = await newKey(tidewatch, ['events.publish']);
      expect(await Client.refused(tidewatch.url, undefined, transport)).toContain('auth: {token}');
      expect(await Client.refused(tidewatch.url, 'tw_nothing', transport)).toContain('unknown, expired or revoked');
      expect(await Client.refused(tidewatch.url, narrow.key, transport)).toContain('events.read');
    });

    test('leaves its private channels within seconds when the key that let it in is deleted', async ({ tidewatch }) => {
      const signer = await newKey(tidewatch, ['tokens.sign', 'events.read']);
      const [client, own] = [await connect(tidewatch, transport), await connect(tidewatch, transport, signer.key)];
      const token = await sign(tidewatch, 'private-a', signer.key);
      for (const each of [client, own]) expect(await each.ask('listen', { channelName: 'private-a', token })).toMatchObject({ ok: true });
      expect(await client.ask('listen', { channelName: 'orders' })).toMatchObject({ ok: true });
      const deleted = Date.now();
      expect((await tidewatch.curl('DELETE', `/api/v1/api-keys/${signer.id}`)).status).toBeLessThan(300);
      expect((await client.told('RemovedFromChannel')).data).toMatchObject({ channels: ['private-a'] });
      expect(Date.now() - deleted).toBeLessThan(5_000);
      // Whose own key it was is told first of its channel, and then of its end.
      await own.told('SessionExpired');
      expect(own.system.map((message) => message.code)).toEqual(['Success', 'RemovedFromChannel', 'SessionExpired']);
      await expect.poll(() => own.ends).toEqual(['io server disconnect']);
      await publish(tidewatch, 'private-a', 'for others');
      await publish(tidewatch, 'orders', 'for all');
      await client.received(1);
      expect(client.events.map((event) => event.payload)).toEqual(['for all']);
      expect(await client.ask('listen', { channelName: 'private-a', token })).toMatchObject({ ok: false });
    });

    test('comes back by itself after a restart and misses nothing', async () => {
      const tidewatch = await Tidewatch.start();
      try {
        const client = await connect(tidewatch, transport);
        // As a program does it: each time that it is connected, it listens behind what it has.
        const listen = () => client.ask('listen', { channelName: 'orders', after: client.events.at(-1)?.eventId ?? 'latest' });
        await listen();
        client.socket.on('connect', () => void listen());
        await publish(tidewatch, 'orders', 1);
        await client.received(1);
        await tidewatch.stopServer();
        // Between two polls nobody can be told: then it finds out by the next one.
        if (transport === 'websocket') expect(client.system.map((message) => message.code)).toContain('ServerDraining');
        await expect.poll(() => client.socket.connected).toBe(false);
        expect(client.socket.active, 'the client means to come back by itself').toBe(true);
        await tidewatch.startServer();
        for (const payload of [2, 3]) await publish(tidewatch, 'orders', payload);
        await client.received(3);
        await tidewatch.killServer();
        await tidewatch.startServer();
        await publish(tidewatch, 'orders', 4);
        await client.received(4);
        expect(client.events.map((event) => event.payload)).toEqual([1, 2, 3, 4]);
      } finally {
        await tidewatch.stop();
      }
    });
  });
}

test.describe('two projects with channels of the same names', () => {
  const NAMES = ['orders', 'news', 'private-a'];
  /** What a reader has: channel and payload, in order. */
  type Heard = [string, number][];

  for (const seed of [1, 2, 3]) {
    test(`never mix, over Socket.IO, SSE and poll (${seed})`, async ({ tidewatch }) => {
      let state = seed;
      // xorshift: the same choices each time that this seed runs.
      const draw = (most: number) => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return Math.abs(state) % most;
      };
      const slug = `quay-${seed}-${Math.random().toString(36).slice(2, 8)}`;
      // Not the operator: whoever is in several projects sees other addresses in the tests that follow.
      await tidewatch.addProject(slug, (await tidewatch.addPerson(['viewer'])).email, ['admin']);
      const keys = [tidewatch.key, await tidewatch.addKey(slug)];
      const since = new Date().toISOString();
      const readers: { project: number; names: string[]; heard: () => Promise<Heard> }[] = [];
      for (let index = 0; index < 12; index += 1) {
        const project = draw(2);
        const key = keys[project];
        const names = NAMES.filter(() => draw(2) === 0);
        if (names.length === 0) names.push(NAMES[draw(NAMES.length)]);
        const tokens = await Promise.all(names.filter((name) => name.startsWith('private')).map((name) => sign(tidewatch, name, key)));
        const query = new URLSearchParams({ channels: names.join(','), after: since, ...(tokens.length ? { token: tokens.join(',') } : {}) });
        const address = `${tidewatch.url}/api/v1/events?${query}`;
        const channelOf = (event: any) => event.payload.channel as string;
        const list = (events: any[]): Heard => events.map((event) => [channelOf(event), event.payload.n]);
        if (index % 3 === 0) {
          const transport = index % 2 === 0 ? 'websocket' : 'polling';
          const client = await connect(tidewatch, transport, key);
          for (const channelName of names) {
            const token = channelName.startsWith('private') ? tokens[0] : undefined;
            expect(await client.ask('listen', { channelName, token, after: since })).toMatchObject({ ok: true });
          }
          // A channel keeps its order; two channels are two streams.
          readers.push({ project, names, heard: async () => list(client.events).sort((a, b) => a[1] - b[1]) });
        } else if (index % 3 === 1) {
          const abort = new AbortController();
          const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' };
          const answer = await fetch(address, { headers, signal: abort.signal });
          expect(answer.status).toBe(200);
          let text = '';
          void (async () => {
            const decoder = new TextDecoder();
            for await (const chunk of Readable.fromWeb(answer.body as ReadableStream)) text += decoder.decode(chunk, { stream: true });
          })().catch(() => {});
          aborts.push(abort);
          const events = () => [...text.matchAll(/^event: message.published\ndata: (.*)$/gm)].map((match) => JSON.parse(match[1]));
          readers.push({ project, names, heard: async () => list(events()) });
        } else {
          const headers = { authorization: `Bearer ${key}`, accept: 'application/json' };
          const page = async () => (await fetch(`${address}&limit=1000`, { headers })).json() as Promise<any>;
          readers.push({ project, names, heard: async () => list((await page()).events) });
        }
      }
      const model: Heard[] = [[], []];
      for (let n = 0; n < 60; n += 1) {
        const project = draw(2);
        const channel = NAMES[draw(NAMES.length)];
        await publish(tidewatch, channel, { channel, n }, keys[project]);
        model[project].push([channel, n]);
      }
      for (const { project, names, heard } of readers) {
        await expect.poll(heard).toEqual(model[project].filter(([channel]) => names.includes(channel)));
      }
    });
  }
});
