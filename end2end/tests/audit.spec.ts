import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

// With and without JavaScript.

test('the audit log is narrowed, says when nothing is like that, and is exported as it is narrowed', async ({ page, operator, tidewatch }) => {
  const name = `Audited ${Math.random()}`;
  const made = await tidewatch.curl('POST', '/api/v1/api-keys', { name, scopes: ['events.read'] });
  expect(made.status).toBe(201);
  await page.goto('/audit');
  const form = page.locator('main form[action="/audit"]');
  const entries = page.locator('.audit > li');
  await form.getByLabel('To what').fill(name);
  await form.getByLabel('From (UTC)').fill('2020-01-31');
  await form.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/[?&]from=2020-01-31/);
  await expect(form.getByLabel('From (UTC)')).toHaveValue('2020-01-31');
  await expect(entries).toHaveCount(1);
  await expect(page.locator('[rel="next"], [rel="first"]')).toHaveCount(0);

  await entries.locator('summary').click();
  const target = entries.getByRole('link', { name });
  await expect(target).toHaveAttribute('href', new RegExp(`/records/${made.json.id}`));
  for (const [kind, link] of [['csv', 'Export as CSV'], ['json', 'Export as JSON']]) {
    const href = (await form.getByRole('link', { name: link }).getAttribute('href')) ?? '';
    const file = await page.request.get(href);
    expect(file.ok(), href).toBe(true);
    expect(file.headers()['content-disposition']).toContain(`tidewatch-audit.${kind}`);
    expect((await file.text()).match(new RegExp(made.json.id, 'g'))?.length).toBeGreaterThan(0);
  }
  await target.click();
  await expect(page).toHaveURL(new RegExp(`/api-keys\\?q=${made.json.id}`));
  await expect(page.locator('main .list > .list-item')).toHaveCount(1);

  await page.goto('/audit?target=nothing+is+called+this');
  await expect(page.getByText('No change is like this')).toBeVisible();
  await page.locator('.empty').getByRole('link', { name: 'Show all' }).click();
  await expect(page).toHaveURL(/\/audit$/);
  await expect(entries.first()).toBeVisible();
});

test('what is no time is said at its field, and there is a way on', async ({ page, operator }) => {
  const answer = await page.goto('/audit?from=yesterday');
  expect(answer?.status()).toBe(400);
  await expect(page.getByLabel('From (UTC)')).toHaveAttribute('aria-invalid', 'true');
  await page.getByRole('alert').getByRole('link', { name: 'Show all' }).click();
  await expect(new Dashboard(page).heading).toHaveText('Audit log');
  await expect(page.getByRole('alert')).toHaveCount(0);
});
