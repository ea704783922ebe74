import { expect, test } from '../fixtures/test.ts';

// With and without JavaScript: a record and an event tell to whom they were given.

test('a record and an event tell what was committed, published, streamed and acknowledged', async ({ page, operator, tidewatch }) => {
  // A consumer that we did not write, with a durable subscription.
  const name = `proof-${Math.random().toString(36).slice(2, 8)}`;
  await tidewatch.curl('POST', '/api/v1/subscriptions', { name, filter: { types: ['settlement.created'] }, after: 'latest' });
  const settlement = await tidewatch.create('PROOF-1');
  let eventId = '';
  await expect(async () => {
    const given = await tidewatch.curl('GET', `/api/v1/subscriptions/${name}/events?wait=5`);
    eventId ||= given.json.events[0]?.eventId ?? '';
    expect(eventId).not.toBe('');
  }).toPass();
  expect((await tidewatch.curl('POST', `/api/v1/subscriptions/${name}/ack`, { eventId })).status).toBe(200);

  await page.goto(`/settlements/${settlement.id}`);
  const proof = page.locator(`.proof[data-event="${eventId}"]`);
  for (const step of ['Committed', 'Published', 'Streamed to', 'Acknowledged by']) await expect(proof).toContainText(step);
  await expect(proof).toContainText(/\d\d:\d\d:\d\d\.\d{3}/);
  await expect(proof).toHaveAttribute('data-acknowledged', '1');
  await expect(proof).toContainText(`subscription ${name}`);
  await expect(proof.locator('[data-actor^="key:"]')).toContainText('page');

  await page.goto(`/events/${eventId}`);
  await expect(page.locator('.proof')).toHaveAttribute('data-acknowledged', '1');
});
