import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

// With and without JavaScript.

test('all jobs of a state are called off and done again at once, asked first', async ({ page, operator, tidewatch, javaScriptEnabled }) => {
  const jobs = async (state: string) =>
    (await tidewatch.curl('GET', `/api/v1/jobs?kind=key.revoke&state=${state}`)).json.jobs as { id: string }[];
  const made = await tidewatch.curl('POST', '/api/v1/api-keys', { name: 'ends one day', scopes: ['events.read'], expiresInDays: 1 });
  expect(made.status).toBe(201);
  const { id } = (await jobs('scheduled'))[0];
  const dashboard = new Dashboard(page);
  await page.goto('/jobs?state=scheduled&kind=key.revoke');
  await dashboard.isReady(javaScriptEnabled);
  await page.locator('summary', { hasText: 'Call all of key.revoke off…' }).click();
  await page.getByRole('button', { name: 'Call them off' }).click();
  await expect(page.getByText(/jobs? (is|are) called off\./).first()).toBeVisible();
  expect(await jobs('scheduled')).toEqual([]);
  expect((await jobs('cancelled')).map((job) => job.id)).toContain(id);

  await page.goto('/jobs?state=cancelled&kind=key.revoke');
  await dashboard.isReady(javaScriptEnabled);
  await page.locator('summary', { hasText: 'Do all of key.revoke again…' }).click();
  await page.getByRole('button', { name: 'Do them again' }).click();
  await expect(page.getByText(/jobs? (is|are) done again\./).first()).toBeVisible();
  expect((await jobs('cancelled')).map((job) => job.id)).not.toContain(id);
});

test('connections are ordered by what waits for them', async ({ page, operator, javaScriptEnabled }) => {
  await page.goto('/connections');
  await new Dashboard(page).isReady(javaScriptEnabled);
  const form = page.locator('main form[action="/connections"]');
  await form.getByLabel('Order').selectOption('Most waiting first');
  await form.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/[?&]sort=waiting/);
  await expect(form.getByLabel('Order')).toHaveValue('waiting');
  await expect(page.locator('th[aria-sort="descending"]')).toHaveText('Waiting');
});
