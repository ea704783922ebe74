import { Client } from '../fixtures/sockets.ts';
import { eventually } from '../fixtures/process.ts';
import type { Tidewatch } from '../fixtures/tidewatch.ts';
import { expect, test } from '../fixtures/test.ts';

const KEYS = 20;
const GONE = 4;
const SOCKETS = 600;
const CHANNEL = 'private-many';

test.use({ settings: { TIDEWATCH_STREAMS_PER_ADDRESS: '10000', TIDEWATCH_STREAMS_PER_KEY: '10000' } });

// A debug build on a busy machine takes its time to let so many in.
test.describe.configure({ timeout: 180_000 });

type Key = { id: string; token: string };

/** A key, and a token that it has signed for the channel. */
async function makeKey(tidewatch: Tidewatch, index: number): Promise<Key> {
  const made = await tidewatch.curl('POST', '/api/v1/api-keys', { name: `many ${index}`, scopes: ['tokens.sign'] });
  const signed = await fetch(`${tidewatch.url}/api/v1/publishers/sign`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.json.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channelName: CHANNEL }),
  });
  const answer = await signed.text();
  expect(signed.status, answer).toBe(200);
  return { id: made.json.id, token: (JSON.parse(answer) as { token: string }).token };
}

/** One after the other: a machine that is busy with so many at once may refuse some. */
async function makeKeys(tidewatch: Tidewatch, number: number): Promise<Key[]> {
  const keys: Key[] = [];
  for (let index = 0; index < number; index++) keys.push(await makeKey(tidewatch, index));
  return keys;
}

async function removeKeys(tidewatch: Tidewatch, keys: Key[]): Promise<void> {
  const answers = await Promise.all(keys.map(({ id }) => tidewatch.curl('DELETE', `/api/v1/api-keys/${id}`)));
  expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
}

test(`of ${SOCKETS} sockets on the word of ${KEYS} keys, those of ${GONE} deleted keys are removed, and no other`, async ({ tidewatch }) => {
  const keys = await makeKeys(tidewatch, KEYS);
  const clients: { key: number; client: Client }[] = [];
  try {
    for (let from = 0; from < SOCKETS; from += 100) {
      // Each asks as soon as it is in, which it can know before the server does.
      const some = Array.from({ length: 100 }, (_, index) => ({
        key: (from + index) % KEYS,
        client: Client.make(tidewatch.url, tidewatch.key, 'websocket'),
      }));
      clients.push(...some);
      const answers = await Promise.all(
        some.map(({ key, client }) => client.ask('listen', { channelName: CHANNEL, token: keys[key].token })),
      );
      expect(answers.filter((answer) => !answer.ok)).toEqual([]);
    }
    const listeners = async () => (await tidewatch.curl('GET', `/api/v1/channels/${CHANNEL}`)).json.row.listeners;
    expect(await listeners()).toBe(SOCKETS);

    const gone = keys.slice(0, GONE);
    await removeKeys(tidewatch, gone);
    const removed = () => clients.filter(({ client }) => client.system.some(({ code }) => code === 'RemovedFromChannel'));
    const expected = (SOCKETS / KEYS) * GONE;
    await eventually('their removal', async () => removed().length >= expected);
    expect(removed().every(({ key }) => key < GONE)).toBe(true);
    expect(removed().every(({ client }) => client.system.some(({ data }) => data?.channels?.includes(CHANNEL)))).toBe(true);
    await eventually('the index to be clean', async () => (await listeners()) === SOCKETS - expected);
    for (const { id } of gone) {
      expect((await tidewatch.curl('GET', `/api/v1/connections?key=${id}`)).json.connections).toEqual([]);
    }
    expect(clients.filter(({ client }) => client.ends.length > 0), 'nobody is disconnected').toEqual([]);
  } finally {
    clients.forEach(({ client }) => client.close());
  }
});

test('a server that is killed in the middle of a revocation finishes it when it is back', async ({ tidewatch }) => {
  const keys = await makeKeys(tidewatch, GONE);
  const clients = await Promise.all(keys.map(() => Client.connect(tidewatch.url, tidewatch.key, 'websocket')));
  try {
    for (const [index, client] of clients.entries()) {
      expect((await client.ask('listen', { channelName: CHANNEL, token: keys[index].token })).ok).toBe(true);
    }
    await removeKeys(tidewatch, keys);
    await tidewatch.killServer();
    await tidewatch.startServer();
    const unfinished = async () => {
      const { jobs } = (await tidewatch.curl('GET', '/api/v1/jobs?kind=key.revoke&limit=500')).json;
      return jobs.filter((job: { state: string }) => job.state !== 'completed');
    };
    // The lease of the worker that was killed runs out first.
    await eventually('all to be finished', async () => (await unfinished()).length === 0, 90_000);
    for (const [index, client] of clients.entries()) {
      await eventually('to be back', async () => client.socket.connected);
      const answer = await client.ask('listen', { channelName: CHANNEL, token: keys[index].token });
      expect(answer.ok, 'its token counts no longer').toBe(false);
    }
  } finally {
    clients.forEach((client) => client.close());
  }
});
