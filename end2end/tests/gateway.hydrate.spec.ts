import { expect, test } from '../fixtures/test.ts';
import { Client, type Transport } from '../fixtures/sockets.ts';
import { Tidewatch } from '../fixtures/tidewatch.ts';

const clients: Client[] = [];

async function connect(tidewatch: Tidewatch, transport: Transport, key = tidewatch.key): Promise<Client> {
  const client = await Client.connect(tidewatch.url, key, transport);
  clients.push(client);
  return client;
}

async function publish(tidewatch: Tidewatch, channelName: string, payload: unknown): Promise<string> {
  const answer = await tidewatch.curl('POST', '/api/v1/publishers/events/publish', { channelName, payload });
  expect(answer.status, JSON.stringify(answer.json)).toBe(202);
  return answer.json.events[0].eventId;
}

async function sign(tidewatch: Tidewatch, channelName: string, key = tidewatch.key): Promise<string> {
  const answer = await fetch(`${tidewatch.url}/api/v1/publishers/sign`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channelName }),
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { token: string }).token;
}

async function newKey(tidewatch: Tidewatch, scopes: string[]): Promise<{ id: string; key: string }> {
  const answer = await tidewatch.curl('POST', '/api/v1/api-keys', { name: `of ${scopes.join(' and ')}`, scopes });
  expect(answer.status, JSON.stringify(answer.json)).toBeLessThan(300);
  return { id: answer.json.id, key: answer.json.secret };
}

test.afterEach(() => clients.splice(0).forEach((client) => client.close()));

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
        expect(client.system.map((message) => message.code)).toContain('ServerDraining');
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
