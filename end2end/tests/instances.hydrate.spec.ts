import { eventually, findProgram, freePort, Running } from '../fixtures/process.ts';
import { newKey, publish, sign } from '../fixtures/publishers.ts';
import { Client } from '../fixtures/sockets.ts';
import { expect, test } from '../fixtures/test.ts';
import { Tidewatch } from '../fixtures/tidewatch.ts';

/** What carries events from one instance to the other. */
const CARRIERS = ['the log in Postgres', 'Redis'] as const;

for (const carrier of CARRIERS) {
  const isThere = carrier !== 'Redis' || findProgram('redis-server') !== undefined;
  test.describe(`two instances, by ${carrier}${isThere ? '' : ' (left out: it is not installed)'}`, () => {
    test.skip(!isThere);
    test.slow();

    let redis: Running | undefined;
    let here: Tidewatch;
    let there: Tidewatch;
    const clients: Client[] = [];

    test.beforeAll(async () => {
      const settings: Record<string, string> = {};
      if (carrier === 'Redis') {
        const port = String(await freePort());
        redis = Running.start('redis-server', ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--port', port], {});
        settings.TIDEWATCH_REDIS_URL = `redis://127.0.0.1:${port}`;
      }
      here = await Tidewatch.start({ ...settings, TIDEWATCH_INSTANCE: 'here' });
      there = await here.addInstance({ TIDEWATCH_INSTANCE: 'there' });
    });

    test.afterEach(() => clients.splice(0).forEach((client) => client.close()));

    test.afterAll(async () => {
      await there?.stopServer();
      await here?.stop();
      await redis?.end();
    });

    const connect = async (instance: Tidewatch, transport: 'polling' | 'websocket', key = instance.key): Promise<Client> => {
      const client = await Client.connect(instance.url, key, transport);
      clients.push(client);
      return client;
    };

    test('a room of Socket.IO is one room over both', async () => {
      const token = await sign(here, 'private-room');
      const members = [await connect(here, 'websocket'), await connect(there, 'websocket'), await connect(there, 'polling')];
      for (const member of members) expect(await member.ask('listen', { channelName: 'private-room', token })).toMatchObject({ ok: true });
      const outside = await connect(there, 'websocket');
      await outside.ask('listen', { channelName: 'other-room' });
      for (const payload of [1, 2, 3, 4]) await publish(payload % 2 ? here : there, 'private-room', payload);
      await publish(here, 'other-room', 'theirs');
      for (const member of members) {
        await member.received(4);
        expect(member.events.map((event) => event.payload)).toEqual([1, 2, 3, 4]);
      }
      await outside.received(1);
      expect(outside.events.map((event) => event.payload)).toEqual(['theirs']);
      // Who listens is the same, wherever one asks.
      for (const instance of [here, there]) {
        const room = async () => (await instance.curl('GET', '/api/v1/channels/private-room')).json;
        await expect.poll(async () => (await room()).row.listeners).toBe(3);
      }
    });

    test('somebody of the other instance is sent away, and a key that ends lets nobody stay there', async () => {
      const signer = await newKey(here, ['tokens.sign']);
      const token = await sign(here, 'private-room', signer.key);
      const [gone, left] = [await connect(there, 'websocket'), await connect(there, 'polling')];
      await gone.ask('listen', { channelName: 'kicked-room' });
      expect(await left.ask('listen', { channelName: 'private-room', token })).toMatchObject({ ok: true });
      const id = await eventually('the connection to be known here', async () => {
        const { json } = await here.curl('GET', '/api/v1/connections?channel=kicked-room');
        return json.connections[0]?.id as string | undefined;
      });
      expect((await here.curl('DELETE', `/api/v1/connections/${id}`)).status).toBe(202);
      expect((await gone.told('Error')).message).toContain('ended by an operator');
      await expect.poll(() => gone.ends).toEqual(['io server disconnect']);

      expect((await here.curl('DELETE', `/api/v1/api-keys/${signer.id}`)).status).toBeLessThan(300);
      expect((await left.told('RemovedFromChannel')).data).toMatchObject({ channels: ['private-room'] });
      expect(left.ends).toEqual([]);
    });

    test('a client that loses its instance goes on at the other, behind what it has', async () => {
      const client = await connect(there, 'websocket');
      await client.ask('listen', { channelName: 'orders' });
      await publish(here, 'orders', 1);
      const [first] = await client.received(1);
      await there.killServer();
      await publish(here, 'orders', 2);
      const again = await connect(here, 'polling');
      expect(await again.ask('listen', { channelName: 'orders', after: first.eventId })).toMatchObject({ ok: true, recovered: true });
      await publish(here, 'orders', 3);
      await again.received(2);
      expect(again.events.map((event) => event.payload)).toEqual([2, 3]);
      await there.startServer();
    });
  });
}
