import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, test } from '../fixtures/test.ts';

type Received = { headers: IncomingHttpHeaders; body: string };

/** A receiver as a customer would write it, with the library that the specification offers. */
class Receiver {
  readonly received: Received[] = [];
  status = 204;
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        receiver.received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(receiver.status).end();
      });
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  async next(count: number): Promise<Received> {
    await expect.poll(() => this.received.length).toBeGreaterThanOrEqual(count);
    return this.received[count - 1];
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** What the library reads out of a webhook; it throws where the signature is not the secret's. */
function verify(secret: string, { headers, body }: Received): any {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

test('a receiver verifies with the library that the specification offers', async ({ tidewatch }) => {
  const receiver = await Receiver.start();
  const { status, json: webhook } = await tidewatch.curl('POST', '/api/v1/webhooks', {
    url: receiver.url,
    types: ['settlement.created'],
  });
  expect(status, JSON.stringify(webhook)).toBe(201);
  const path = `/api/v1/webhooks/${webhook.id}`;
  try {
    const settlement = await tidewatch.create('INV-WEBHOOK');
    const first = await receiver.next(1);
    const body = verify(webhook.secret, first);
    expect(body).toMatchObject({ type: 'settlement.created', data: { aggregateId: settlement.id } });
    expect(() => verify(webhook.secret, { ...first, body: first.body.replace('INV-WEBHOOK', 'INV-FORGED') })).toThrow();
    expect(() => verify(`whsec_${Buffer.alloc(32).toString('base64')}`, first)).toThrow();

    const rotated = (await tidewatch.curl('POST', `${path}/rotate-secret`, { overlapHours: 1 })).json;
    expect((await tidewatch.curl('POST', `${path}/test`, {})).status).toBe(202);
    const second = await receiver.next(2);
    for (const secret of [webhook.secret, rotated.secret]) {
      expect(verify(secret, second)).toMatchObject({ type: 'webhook.test' });
    }
    const delivery = `${path}/deliveries/${second.headers['webhook-id']}`;
    await expect.poll(async () => (await tidewatch.curl('GET', delivery)).json).toMatchObject({ state: 'delivered', lastStatus: 204 });
  } finally {
    await tidewatch.curl('DELETE', path);
    receiver.stop();
  }
});
