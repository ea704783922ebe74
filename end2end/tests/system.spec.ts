import { expect, test } from '../fixtures/test.ts';

// With and without JavaScript.

test('the system page tells of instances, the stream, jobs and Postgres', async ({ page, operator, tidewatch }) => {
  await tidewatch.create('SYSTEM-1');
  // Of all projects; the page is about this one.
  await tidewatch.publishedEvents();
  const { position } = (await tidewatch.curl('GET', '/api/v1/events')).json;
  await page.goto('/system');
  await expect(page.locator('[data-concerns]')).toHaveAttribute('data-concerns', '0');
  await expect(page.locator('[data-instances]')).toHaveAttribute('data-instances', '1');
  await expect(page.locator('[data-key="position"] dd')).toHaveText(String(position).replace(/\B(?=(\d{3})+$)/g, ','));
  await expect(page.locator('main')).toContainText('One of them publishes, since');
  await expect(page.locator('main')).toContainText('PostgreSQL');
  const told = await tidewatch.curl('GET', '/api/v1/system');
  expect(told.json.stream.waiting).toBe(0);
  expect(JSON.stringify(told.json)).not.toContain('postgres://');
});
