import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Nginx, test } from '../fixtures/nginx.ts';
import { Client } from '../fixtures/sockets.ts';
import { expect } from '../fixtures/test.ts';
import type { Tidewatch } from '../fixtures/tidewatch.ts';
import { SettlementsPage } from '../pages/dashboard.ts';

/** Addresses from which clients come; all of 127.0.0.0/8 is this machine's, where it is Linux. */
const clientAddress = (number: number) => `127.0.10.${number}`;
const hasAddresses = process.platform === 'linux';
/** As many clients come at least, and more until each instance has one. */
const [CLIENTS, MOST_CLIENTS] = [8, 60];

const authorization = (tidewatch: Tidewatch) => ['-H', `Authorization: Bearer ${tidewatch.key}`];
const post = (tidewatch: Tidewatch, file: string) => [...authorization(tidewatch), '-H', 'Content-Type: application/json', '--data-binary', file];

test.describe(Nginx.isInstalled ? 'behind nginx' : 'behind nginx (left out: it is not installed)', () => {
  test.skip(!Nginx.isInstalled);
  test.slow(); // two instances and nginx beside the browser

  for (const coding of ['identity', 'gzip']) {
    test(`curl reads each event of a stream as it is sent, by HTTP/2 (${coding})`, async ({ nginx, tidewatch }) => {
      const more = ['-iN', '--compressed', '-H', `Accept-Encoding: ${coding}`, ...authorization(tidewatch)];
      const curl = spawn('curl', nginx.arguments('/api/v1/events?types=settlement.*', more));
      let text = '';
      curl.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      try {
        await expect.poll(() => text).toContain('event: connected');
        expect(text).toMatch(/^HTTP\/2 200/);
        if (coding === 'gzip') expect(text).toContain('content-encoding: gzip');
        for (const reference of ['ONE', 'TWO', 'THREE']) {
          await tidewatch.create(reference);
          // Nothing else is sent before this one can be read, and the stream goes on.
          await expect.poll(() => text).toContain(`"${reference}"`);
          expect(curl.exitCode).toBeNull();
        }
      } finally {
        curl.kill();
      }
    });
  }

  test('the page is live by HTTP/2, and the login has a cookie for TLS alone', async ({ page, operator, nginx, tidewatch }) => {
    const session = (await page.context().cookies()).find(({ name }) => name.includes('session'));
    expect(session).toMatchObject({ name: '__Host-tidewatch_session', secure: true, httpOnly: true, sameSite: 'Lax' });
    const settlements = new SettlementsPage(page);
    await settlements.open();
    await settlements.isLive();
    const created = await tidewatch.create('BEHIND-NGINX');
    await expect(settlements.row(created.id)).toBeVisible();
    const protocols = await page.evaluate(() =>
      ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type) as PerformanceResourceTiming[]).map((entry) => entry.nextHopProtocol));
    expect([...new Set(protocols)]).toEqual(['h2']);
    const plain = await fetch(`http://127.0.0.1:${nginx.plainPort}/settlements?q=a`, { redirect: 'manual' });
    expect([plain.status, plain.headers.get('location')]).toEqual([308, 'https://127.0.0.1/settlements?q=a']);
  });

  test('Socket.IO clients stay with their instance, by polling and upgraded', async ({ nginx, tidewatch, instances }) => {
    test.skip(!hasAddresses, 'clients of several addresses need Linux');
    const ca = readFileSync(nginx.certificate);
    const clients: Client[] = [];
    const agents: Agent[] = [];
    const places = new Map<string, string>();
    const rows = async () => (await tidewatch.curl('GET', '/api/v1/connections?limit=1000')).json.connections as Record<string, string>[];
    const instanceOf = async (address: string) =>
      (await rows()).find((row) => row.kind === 'socketio' && row.address === address)?.instance;
    try {
      for (let number = 1; number <= CLIENTS || (new Set(places.values()).size < instances.length && number <= MOST_CLIENTS); number += 1) {
        // Each request has a connection of its own, and a connection says nothing of whose it is.
        const agent = new Agent({ localAddress: clientAddress(number), ca, keepAlive: false });
        agents.push(agent);
        const options = { agent: agent as unknown as boolean, ca: ca.toString() };
        const client = await Client.connect(nginx.url, tidewatch.key, number % 2 === 0 ? 'both' : 'polling', options);
        clients.push(client);
        expect(await client.ask('listen', { channelName: 'harbour' })).toMatchObject({ ok: true });
        // The address is the client's, not that of nginx: it is told to the instance, and believed.
        await expect.poll(() => instanceOf(clientAddress(number))).toBeTruthy();
        places.set(clientAddress(number), (await instanceOf(clientAddress(number))) ?? '');
      }
      expect(new Set(places.values()).size, 'instances that have clients').toBe(instances.length);
      for (const [index, client] of clients.entries()) {
        const transport = index % 2 === 0 ? 'polling' : 'websocket';
        await expect.poll(() => client.socket.io.engine.transport.name).toBe(transport);
      }
      for (let payload = 1; payload <= 5; payload += 1) {
        const body = { channelName: 'harbour', payload };
        expect((await tidewatch.curl('POST', '/api/v1/publishers/events/publish', body)).status).toBe(202);
        for (const client of clients) await client.received(payload);
      }
      for (const client of clients) {
        expect(client.events.map((event) => event.payload)).toEqual([1, 2, 3, 4, 5]);
        expect(client.ends, 'no client had to connect again').toEqual([]);
      }
    } finally {
      clients.forEach((client) => client.close());
      agents.forEach((agent) => agent.destroy());
    }
  });

  test('what is for the operator of the service is not there from outside', async ({ nginx, tidewatch }) => {
    for (const path of ['/metrics', '/readyz', '/healthz']) {
      expect((await fetch(`${tidewatch.url}${path}`)).status, `${path}, asked at the instance`).toBe(200);
      for (const spelling of [path, `${path}?x=1`, `/${path}`, `/x/..${path}`, path.replace('e', '%65')]) {
        const answer = await nginx.curl(spelling, ...authorization(tidewatch));
        expect(answer.status, spelling).toBe(404);
        expect(answer.body, spelling).not.toMatch(/tidewatch_|ready\n|ok\n/);
      }
    }
  });

  test('the instance is told who asks and for which site', async ({ nginx, tidewatch }) => {
    const change = (origin: string) => nginx.curl('/preferences', '-H', `Origin: ${origin}`, '-d', 'theme=dark');
    expect((await change('https://elsewhere.example')).status).toBe(403);
    expect((await change(nginx.url)).status).toBeLessThan(400);
    // What a client writes of its own address is not believed.
    const address = hasAddresses ? clientAddress(200) : '127.0.0.1';
    const cookies = test.info().outputPath('cookies');
    const { status, body } = await nginx.curl('/login', '--interface', address, '-H', 'X-Forwarded-For: 203.0.113.9', '-c', cookies,
      '--data-urlencode', `email=${tidewatch.email}`, '--data-urlencode', `password=${tidewatch.password}`);
    expect(status, body).toBe(303);
    const sessions = await nginx.curl('/api/v1/sessions', '-b', cookies);
    expect(sessions.body).toContain(`"${address}"`);
    expect(sessions.body).not.toContain('203.0.113.9');
  });

  test('what is logged of a request has no query, which can carry a token', async ({ nginx }) => {
    await nginx.curl('/invitation?token=hidden');
    await expect.poll(() => nginx.log).toContain('"GET /invitation HTTP/2.0" 200');
    expect(nginx.log).not.toContain('hidden');
  });

  test("errors of the API are problems, the server's and those of nginx", async ({ nginx, tidewatch }) => {
    const missing = await nginx.curl('/api/v1/settlements/stl_none', ...authorization(tidewatch));
    expect(missing.headers).toContain('content-type: application/problem+json');
    expect(JSON.parse(missing.body)).toMatchObject({ status: 404, type: 'urn:tidewatch:problem:not-found' });
    // As long as the tokens of 100 private channels are.
    const long = await nginx.curl(`/api/v1/events?channels=private-a&token=${'x'.repeat(40_000)}`, ...authorization(tidewatch));
    expect(JSON.parse(long.body)).toMatchObject({ status: 403, channel: 'private-a' });
    const file = test.info().outputPath('body.json');
    writeFileSync(file, JSON.stringify({ reference: 'x'.repeat(1024 * 1024) }));
    const large = await nginx.curl('/api/v1/settlements', ...post(tidewatch, `@${file}`));
    expect(large.status).toBe(413);
    expect(large.headers).toContain('content-type: application/problem+json');
    expect(JSON.parse(large.body)).toMatchObject({ status: 413, type: 'urn:tidewatch:problem:body-too-large' });
    // Publishers may send more at once.
    writeFileSync(file, JSON.stringify(Array.from({ length: 100 }, () => ({ channelName: 'harbour', payload: 'x'.repeat(20_000) }))));
    const batch = await nginx.curl('/api/v1/publishers/events/publish', ...post(tidewatch, `@${file}`));
    expect(batch.status, batch.body).toBe(202);
  });

  test('instances restart one after the other: no request fails, and the page goes on', async ({ page, operator, nginx, tidewatch, instances }) => {
    const settlements = new SettlementsPage(page);
    await settlements.open();
    await settlements.isLive();
    let isOver = false;
    const answers: string[] = [];
    const asking = (async () => {
      while (!isOver) {
        for (const path of ['/settlements', '/api/v1/settlements?limit=1']) {
          const answer = await page.request.get(path);
          answers.push(`${path} ${answer.status()} ${answer.url().slice(nginx.url.length)}`);
        }
      }
    })();
    const more = async (count: number) => {
      const before = answers.length;
      await expect.poll(() => answers.length).toBeGreaterThan(before + count);
    };
    try {
      for (const [index, instance] of instances.entries()) {
        await more(4);
        await instance.stopServer();
        await more(4);
        // What changes something works as well, and the page that has lost its stream, or not, shows it.
        const body = JSON.stringify({ reference: `RESTART-${index}`, amountMinor: 100, currency: 'EUR' });
        const created = await nginx.curl('/api/v1/settlements', ...post(tidewatch, body));
        expect(created.status, created.body).toBe(201);
        await settlements.isLive();
        await expect(settlements.row(JSON.parse(created.body).id)).toBeVisible();
        await instance.startServer();
      }
      await more(4);
    } finally {
      isOver = true;
      await asking;
    }
    expect([...new Set(answers)].sort()).toEqual([
      '/api/v1/settlements?limit=1 200 /api/v1/settlements?limit=1',
      '/settlements 200 /settlements',
    ]);
    await settlements.equalsAFreshLoad();

    for (const instance of instances) await instance.stopServer();
    const nobody = await nginx.curl('/api/v1/settlements', ...authorization(tidewatch));
    expect(nobody.status).toBe(502);
    expect(nobody.headers).toContain('content-type: application/problem+json');
    expect(JSON.parse(nobody.body)).toMatchObject({ status: 502 });
    for (const instance of instances) await instance.startServer();
    expect((await nginx.curl('/api/v1/settlements', ...authorization(tidewatch))).status, 'at once').toBe(200);
  });
});

test.describe('nginx before instances that fail', () => {
  test.skip(!Nginx.isInstalled);
  const servers: Server[] = [];
  let nginx: Nginx | undefined;

  /** nginx before two servers that do this. */
  async function start(...listeners: [RequestListener, RequestListener]): Promise<Nginx> {
    const addresses: string[] = [];
    for (const listener of listeners) {
      const server = createServer(listener);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      addresses.push(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
    nginx = await Nginx.start(addresses);
    return nginx;
  }

  test.afterEach(async () => {
    await nginx?.stop();
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  test('what an instance may have done already is not done again at another', async () => {
    const asked: string[] = [];
    const breakOff: RequestListener = (request) => {
      asked.push(request.method ?? '');
      request.socket.destroy();
    };
    const front = await start(breakOff, breakOff);
    expect((await front.curl('/api/v1/settlements')).status).toBe(502);
    expect(asked).toEqual(['GET', 'GET']);
    for (const method of ['POST', 'PATCH']) {
      asked.length = 0;
      expect((await front.curl('/api/v1/settlements', '-X', method, '-d', '{}')).status, method).toBe(502);
      expect(asked).toEqual([method]);
    }
  });

  test('connections to the instances are kept for the next request', async () => {
    const connections = new Set<unknown>();
    let asked = 0;
    const answer: RequestListener = (request, response) => {
      asked += 1;
      connections.add(request.socket);
      response.end('done');
    };
    const front = await start(answer, answer);
    // One connection of the client, and so one worker of nginx.
    await front.curl('/api/v1/settlements', ...Array.from({ length: 9 }, () => `${front.url}/api/v1/settlements`));
    expect(asked).toBe(10);
    expect(connections.size, 'one to each instance').toBe(2);
  });

  test('the files of a page come from the instance of its version', async () => {
    const front = await start(
      (_, response) => response.writeHead(404).end(),
      (_, response) => response.end('the newer one'),
    );
    for (let time = 0; time < 4; time += 1) {
      expect((await front.curl('/pkg/page.of-the-newer-one.js')).body).toBe('the newer one');
    }
    // Anywhere else what is not there is not there.
    const statuses = await Promise.all([1, 2].map(async () => (await front.curl('/api/v1/settlements/x')).status));
    expect(statuses.sort()).toEqual([200, 404]);
  });
});
