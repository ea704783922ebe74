import { expect, test } from '../fixtures/test.ts';

// With and without JavaScript.

test('the system page tells of instances, the stream, jobs and Postgres', async ({ page, operator, tidewatch }) => {
  await tidewatch.create('SYSTEM-1');
  // Of all projects; the page is about this one.
  await tidewatch.publishedEvents();
  const head = async (): Promise<number> => (await tidewatch.curl('GET', '/api/v1/events')).json.position;
  const before = await head();
  await page.goto('/system');
  await expect(page.locator('[data-concerns]')).toHaveAttribute('data-concerns', '0');
  await expect(page.locator('[data-instances]')).toHaveAttribute('data-instances', '1');
  // What the server does by itself publishes too, so the page's position is one of those between two looks.
  const shown = Number((await page.locator('[data-key="position"] dd').innerText()).replaceAll(',', ''));
  expect(shown).toBeGreaterThanOrEqual(before);
  expect(shown).toBeLessThanOrEqual(await head());
  await expect(page.locator('main')).toContainText(/This page came from (\S+), version \S+ \1 publishes, since/);
  await expect(page.locator('main')).toContainText('PostgreSQL');
  await expect.poll(async () => (await tidewatch.curl('GET', '/api/v1/system')).json.stream.waiting).toBe(0);
  const told = await tidewatch.curl('GET', '/api/v1/system');
  expect(JSON.stringify(told.json)).not.toContain('postgres://');
});
