import { expect, test } from '../fixtures/test.ts';

test('the theme stands in the first byte of every later page', async ({ page, operator }) => {
  const html = page.locator('html');
  await expect(html).toHaveAttribute('data-theme', 'system');
  await page.getByRole('button', { name: 'Theme: Dark' }).click();
  await expect(html).toHaveAttribute('data-theme', 'dark');
  const answer = await page.goto('/settlements');
  expect(await answer?.text()).toMatch(/<html[^>]*data-theme="dark"/);
  await expect(page.getByRole('button', { name: 'Theme: Dark' })).toHaveAttribute('aria-pressed', 'true');
  const background = await html.evaluate((element) => getComputedStyle(element).backgroundColor);
  expect(background).toBe('rgb(12, 20, 24)');
});
