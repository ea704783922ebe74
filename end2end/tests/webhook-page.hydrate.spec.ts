import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Dashboard } from '../pages/dashboard.ts';
import { eventually } from '../fixtures/process.ts';
import { expect, test } from '../fixtures/test.ts';

/** A receiver that refuses its first deliveries and takes the others. */
async function receiver(refuse: number): Promise<{ url: string; bodies: any[]; server: Server }> {
  const bodies: any[] = [];
  let left = refuse;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      response.writeHead(left-- > 0 ? 410 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await eventually('the receiver', async () => server.listening);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, bodies, server };
}

test('an endpoint is made, tested, told, refuses, and is told again', async ({ page, operator, tidewatch }) => {
  const { url, bodies, server } = await receiver(0);
  try {
    await page.goto('/webhooks');
    const dashboard = new Dashboard(page);
    await dashboard.isLive();
    await page.getByText('New webhook').click();
    await page.getByLabel('Address').fill(url);
    await page.getByLabel('Event types').fill('greeting.*');
    await page.getByRole('button', { name: 'Make the webhook' }).click();
    await expect(page.locator('[data-secret] code')).toHaveText(/^whsec_/);
    await page.getByRole('link', { name: url }).click();
    await expect(dashboard.heading).toHaveText(url);
    await dashboard.isHydrated();
    await expect(page.locator('.badge[data-status="enabled"]')).toBeVisible();

    await page.getByRole('button', { name: 'Send a test' }).click();
    const delivered = page.locator('tr[data-state="delivered"]');
    await expect(delivered).toHaveCount(1);
    expect(bodies).toHaveLength(1);

    const published = await tidewatch.curl('POST', '/api/v1/publishers/events/publish', {
      channelName: 'hello', eventType: 'greeting.sent', payload: { text: 'hi' },
    });
    expect(published.status).toBe(202);
    await expect(delivered).toHaveCount(2);
    expect(bodies[1]).toMatchObject({ type: 'greeting.sent', data: { payload: { text: 'hi' } } });

    const row = page.locator('tr[data-state]', { hasText: 'greeting.sent' });
    await expect(row.getByRole('link', { name: 'greeting.sent' })).toHaveAttribute('href', /\/events\/evt_/);
    await row.locator('summary', { hasText: 'Attempts' }).click();
    await expect(row.locator('ol')).toContainText('204');
    await row.getByRole('button', { name: 'Send again' }).click();
    await eventually('a third delivery', async () => bodies.length === 3);
    expect(bodies[2]).toEqual(bodies[1]);
    await expect(row.locator('td[data-label="Attempts"]')).toHaveText('2');

    await page.getByRole('button', { name: 'Disable' }).click();
    await expect(page.locator('article.webhook')).toHaveAttribute('data-enabled', 'false');
    await expect(page.getByRole('button', { name: 'Send a test' })).toHaveCount(0);
  } finally {
    server.close();
  }
});

test('an endpoint that is gone says so', async ({ page, operator, tidewatch }) => {
  const { url, server } = await receiver(1);
  try {
    const made = await tidewatch.curl('POST', '/api/v1/webhooks', { url, types: ['nothing.ever'] });
    expect(made.status).toBe(201);
    await page.goto(`/webhooks/${made.json.id}`);
    await new Dashboard(page).isLive();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect(page.getByText('It answered 410')).toBeVisible();
    await expect(page.locator('.badge[data-status="gone"]')).toBeVisible();
  } finally {
    server.close();
  }
});

test('an address in a private network is refused, with the field', async ({ page, operator }) => {
  await page.goto('/webhooks');
  await new Dashboard(page).isLive();
  await page.getByText('New webhook').click();
  await page.getByLabel('Address').fill('https://10.0.0.1/hook');
  await page.getByRole('button', { name: 'Make the webhook' }).click();
  await expect(page.getByRole('alert')).toContainText('url');
});

test('who has deleted an endpoint is told so, and is at the others', async ({ page, operator, tidewatch }) => {
  const url = `https://example.com/${Math.random().toString(36).slice(2, 8)}`;
  const made = await tidewatch.curl('POST', '/api/v1/webhooks', { url });
  expect(made.status).toBe(201);
  await page.goto(`/webhooks/${made.json.id}`);
  await new Dashboard(page).isLive();
  await page.locator('summary', { hasText: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete the webhook' }).click();
  await expect(page.locator('.toast')).toContainText(`${url} is deleted.`);
  await expect(page).toHaveURL(/\/webhooks$/);
  await expect(page.locator('.list-item', { hasText: url })).toHaveCount(0);
});
