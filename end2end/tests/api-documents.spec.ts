import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '../fixtures/test.ts';
import { problemsOfAsyncApi, problemsOfOpenApi } from '../fixtures/validators.mjs';

// With and without JavaScript: the page has none of its own. Nobody is signed in.

test('both documents are open to everybody, valid, and known again', async ({ request }) => {
  const openapi = await request.get('/api/openapi.json');
  const asyncapi = await request.get('/api/asyncapi.json');
  for (const answer of [openapi, asyncapi]) {
    expect(answer.status()).toBe(200);
    expect(answer.headers()['cache-control']).toContain('public');
    const known = await request.get(answer.url(), { headers: { 'If-None-Match': answer.headers().etag } });
    expect(known.status()).toBe(304);
  }
  expect(await problemsOfOpenApi(await openapi.json())).toEqual([]);
  expect(await problemsOfAsyncApi(await asyncapi.json())).toEqual([]);
});

test('each documented read that takes no parameter answers with a documented status', async ({ request, tidewatch }) => {
  const { paths } = await (await request.get('/api/openapi.json')).json();
  const headers = { Authorization: `Bearer ${tidewatch.key}`, Accept: 'application/json' };
  const plain = Object.keys(paths).filter((path) => paths[path].get && !path.includes('{') && path !== '/api/docs');
  expect(plain.length).toBeGreaterThan(20);
  for (const path of plain) {
    const accepted = path.startsWith('/api/') ? headers : { ...headers, Accept: '*/*' };
    const answer = await request.get(path, { headers: accepted });
    expect(Object.keys(paths[path].get.responses), path).toContain(String(answer.status()));
    const unsigned = await request.get(path, { headers: { Accept: 'application/json' } });
    expect(Object.keys(paths[path].get.responses), `${path} without a key`).toContain(String(unsigned.status()));
  }
});

test('the page reads well, on a phone too, and leads to each operation', async ({ page, request, javaScriptEnabled }) => {
  // The page is long, and axe looks at each element of it.
  test.setTimeout(480_000);
  await page.goto('/api/docs');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Tidewatch API');
  const { paths } = await (await request.get('/api/openapi.json')).json();
  const operations = Object.values(paths).flatMap((path) => Object.values(path as object)) as { operationId: string }[];
  await expect(page.locator('article[id]').first()).toBeVisible();
  const articles = await page.locator('article').evaluateAll((all) => all.map(({ id }) => id));
  for (const { operationId } of operations) expect(articles, operationId).toContain(operationId);
  await page.goto('/api/docs#createSettlement');
  await expect(page.locator('#createSettlement')).toBeInViewport();
  await expect(page.locator('#createSettlement')).toContainText('POST /api/v1/settlements');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1360, 390, 320]) {
      await page.setViewportSize({ width, height: 900 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(overflow, `nothing to scroll sideways at ${width} px`).toBeLessThanOrEqual(0);
    }
    if (javaScriptEnabled === false) continue;
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
      .analyze();
    expect.soft(violations.map(({ id, nodes }) => `${id}: ${nodes[0].target.join(' ')}`), colorScheme).toEqual([]);
  }
});
