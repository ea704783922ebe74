import { Dashboard } from '../pages/dashboard.ts';
import { Client } from '../fixtures/sockets.ts';
import { eventually } from '../fixtures/process.ts';
import { expect, test } from '../fixtures/test.ts';

test('a connection appears, is seen with its channel, and is ended', async ({ page, operator, tidewatch }) => {
  await page.goto('/connections?channel=kick-me');
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  await expect(page.getByText('Nobody is connected that way now')).toBeVisible();

  const client = await Client.connect(tidewatch.url, tidewatch.key, 'websocket');
  try {
    expect((await client.ask('listen', { channelName: 'kick-me' })).ok).toBe(true);
    const row = page.locator('tr[data-kind="socketio"]');
    await expect(row).toHaveCount(1);
    await expect(row).toContainText('kick-me');
    await expect(row.locator('[data-label="Rate"]')).toHaveText(/^\d+\.\d\/s$/);
    await expect(row.locator('[data-label="Waiting"]')).toHaveText('0');

    await row.getByText('End…').click();
    await row.getByRole('button', { name: 'End it now' }).click();
    await expect(page.locator('.toast')).toContainText('is being ended');
    await client.told('Error');
    await eventually('the end', async () => client.ends.length > 0);
    // Held while the pointer is on it; then it goes.
    await page.mouse.move(0, 0);
    await page.locator('h1').click();
    await expect(row).toHaveCount(0);
  } finally {
    client.close();
  }
});

test('rows stay under the pointer, and what is new waits', async ({ page, operator, tidewatch }) => {
  const first = await Client.connect(tidewatch.url, tidewatch.key, 'websocket');
  const clients = [first];
  try {
    await first.ask('listen', { channelName: 'hold-still' });
    await page.goto('/connections?channel=hold-still');
    await new Dashboard(page).isLive();
    const rows = page.locator('tr[data-kind]');
    await expect(rows).toHaveCount(1);
    await rows.first().hover();
    const second = await Client.connect(tidewatch.url, tidewatch.key, 'websocket');
    clients.push(second);
    await second.ask('listen', { channelName: 'hold-still' });
    await expect(page.getByRole('button', { name: '1 new' })).toBeVisible();
    await expect(rows).toHaveCount(1);
    await page.getByRole('button', { name: '1 new' }).click();
    await expect(rows).toHaveCount(2);
  } finally {
    clients.forEach((client) => client.close());
  }
});

test('a channel is tried from the page: publish, and listen with a token signed there', async ({ page, operator, tidewatch }) => {
  const client = await Client.connect(tidewatch.url, tidewatch.key, 'websocket');
  try {
    expect((await client.ask('listen', { channelName: 'try-me' })).ok).toBe(true);
    await page.goto('/channels');
    const dashboard = new Dashboard(page);
    await dashboard.isLive();
    await page.getByRole('link', { name: 'try-me' }).click();
    await expect(page).toHaveURL(/channel=try-me/);
    await expect(page.getByRole('heading', { name: '1 listens' })).toBeVisible();
    await page.getByLabel('Type').fill('greeting.sent');
    await page.getByLabel('Payload').fill('{"text": "from the page"}');
    await page.getByRole('button', { name: 'Publish' }).click();
    const [event] = await client.received(1);
    expect(event).toMatchObject({ channelName: 'try-me', eventType: 'greeting.sent', payload: { text: 'from the page' } });
    await expect(page.locator('[data-type="greeting.sent"]')).toBeVisible();

    await page.getByLabel('Payload').fill('{no json');
    await page.getByRole('button', { name: 'Publish' }).click();
    await expect(page.getByRole('alert')).toContainText('payload');

    await page.getByLabel('Channel', { exact: true }).fill('private-try');
    await page.getByRole('button', { name: 'Open' }).click();
    await expect(page.getByRole('heading', { level: 2, name: 'private-try' })).toBeVisible();
    await dashboard.isHydrated();
    await page.getByRole('button', { name: 'Sign' }).click();
    const token = await page.locator('[data-secret] code').innerText();
    expect((await client.ask('listen', { channelName: 'private-try' })).ok).toBe(false);
    expect((await client.ask('listen', { channelName: 'private-try', token })).ok).toBe(true);
    await expect(page.getByRole('heading', { name: '1 listens' })).toBeVisible();
  } finally {
    client.close();
  }
});

test('a job is seen, called off and done again', async ({ page, operator, tidewatch }) => {
  const made = await tidewatch.curl('POST', '/api/v1/api-keys', { name: 'ends one day', scopes: ['events.read'], expiresInDays: 1 });
  expect(made.status).toBe(201);
  await page.goto('/jobs?state=scheduled');
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  const link = page.getByRole('link', { name: 'key.revoke' }).first();
  await link.click();
  await expect(dashboard.heading).toHaveText('key.revoke');
  await expect(page.locator('.json')).toContainText('keyId');
  const job = page.locator('article.job');
  await page.locator('summary', { hasText: 'Call off…' }).click();
  await page.getByRole('button', { name: 'Call it off' }).click();
  await expect(page.locator('.toast')).toContainText('The job is called off.');
  await expect(job).toHaveAttribute('data-state', 'cancelled');
  await page.getByRole('button', { name: 'Do it again' }).click();
  // Before its time, it waits again.
  await expect(job).toHaveAttribute('data-state', 'scheduled');
  await page.goBack();
  await expect(dashboard.heading).toHaveText('Jobs');
});

test('without JavaScript', async ({ browser, operator, page, tidewatch }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, storageState: await page.context().storageState() });
  const plain = await context.newPage();
  const client = await Client.connect(tidewatch.url, tidewatch.key, 'websocket');
  try {
    await client.ask('listen', { channelName: 'no-script' });
    await plain.goto('/channels?channel=no-script');
    await expect(plain.getByRole('heading', { name: '1 listens' })).toBeVisible();
    await plain.getByLabel('Payload').fill('"by a form"');
    await plain.getByRole('button', { name: 'Publish' }).click();
    expect((await client.received(1))[0]).toMatchObject({ payload: 'by a form' });
    await plain.goto('/connections?channel=no-script');
    const row = plain.locator('tr[data-kind="socketio"]');
    await row.getByText('End…').click();
    await row.getByRole('button', { name: 'End it now' }).click();
    await eventually('the end', async () => client.ends.length > 0);
    await plain.goto('/jobs');
    await expect(plain.getByRole('heading', { level: 1 })).toHaveText('Jobs');
  } finally {
    client.close();
    await context.close();
  }
});
