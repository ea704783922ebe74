import type { BrowserContext, Page, Request } from '@playwright/test';
import { Dashboard, SettlementsPage } from '../pages/dashboard.ts';
import { LoginPage } from '../pages/login.ts';
import { Streams } from '../fixtures/streams.ts';
import { expect, test } from '../fixtures/test.ts';

const TABS = 12;

// The service lets a person have two streams at a time: tabs with a stream each would not get it. Two and not
// one, for at a hand-over the next stream can be there before the service has seen that the last one has ended.
test.use({ settings: { TIDEWATCH_STREAMS_PER_USER: '2', TIDEWATCH_HEARTBEAT_SECONDS: '5' } });

/** So many more tabs with the list, all live. */
async function openTabs(context: BrowserContext, count: number): Promise<SettlementsPage[]> {
  const tabs: SettlementsPage[] = [];
  for (let number = 0; number < count; number += 1) {
    const tab = new SettlementsPage(await context.newPage());
    await tab.open();
    await tab.isLive();
    tabs.push(tab);
  }
  return tabs;
}

/** The tab that has the stream. */
async function leader(streams: Streams): Promise<Page> {
  await expect.poll(() => streams.open.length).toBe(1);
  return streams.holders[0];
}

test.beforeEach(() => test.slow());

test(`${TABS} tabs of one browser are live by one stream over HTTP/1.1`, async ({ page, operator, tidewatch }) => {
  const protocols = new Set<string>();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.responseReceived', (event) => protocols.add(event.response.protocol ?? ''));
  const first = new SettlementsPage(page);
  // The page that came with the login has asked for its stream: that one does not count.
  await first.isLive();
  const streams = new Streams(page.context());
  await first.open();
  await first.isLive();
  const tabs = [first, ...(await openTabs(page.context(), TABS - 1))];
  expect([...protocols].filter((protocol) => protocol.startsWith('http/'))).toEqual(['http/1.1']);

  for (const tab of tabs) await tab.isLive();
  expect(streams.asked).toHaveLength(1);
  expect(streams.open).toHaveLength(1);

  const created = await tidewatch.create('TABS-1');
  for (const tab of tabs) await expect(tab.row(created.id)).toHaveAttribute('data-status', 'created');
  await tidewatch.move(created, { move: 'hold', reason: 'odd amount' });
  for (const tab of tabs) await expect(tab.row(created.id)).toHaveAttribute('data-status', 'held');
  // Another page of the service can still be had: the connections of the browser are not used up.
  await tabs[TABS - 1].equalsAFreshLoad();
  expect(streams.asked).toHaveLength(1);
});

for (const [how, end] of [
  ['is closed', (page: Page) => page.close()],
  ['crashes', (page: Page) => page.goto('chrome://crash').then(() => {}, () => {})],
  ['goes elsewhere', (page: Page) => page.goto('about:blank').then(() => {})],
] as const) {
  test(`the tab with the stream ${how} while events are published: no other tab misses one`, async ({ page, operator, tidewatch }) => {
    const streams = new Streams(page.context());
    const tabs = [new SettlementsPage(page), ...(await openTabs(page.context(), 3))];
    await tabs[0].open();
    await tabs[0].isLive();
    const leading = await leader(streams);
    const others = tabs.filter((tab) => tab.page !== leading);
    const asked = streams.asked.length;
    const reads: string[] = [];
    page.context().on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/fn/')) reads.push(pathname);
    });

    const created: string[] = [];
    const publish = async () => {
      for (let number = 0; number < 16; number += 1) created.push((await tidewatch.create(`HEIR-${number}`)).id);
    };
    const published = publish();
    await expect.poll(() => created.length).toBeGreaterThan(3);
    await end(leading);
    await published;

    for (const tab of others) {
      for (const id of created) await expect(tab.row(id)).toHaveCount(1);
      await tab.isLive();
    }
    expect(reads, 'by the stream, not by a second read of the data').toEqual([]);
    await others[0].equalsAFreshLoad();
    expect(streams.asked.length - asked, 'one new stream').toBe(1);
    expect(others.map((tab) => tab.page)).toContain(await leader(streams));
  });
}

test('a tab that begins with old data is given what came meanwhile', async ({ page, operator, tidewatch }) => {
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();
  const streams = new Streams(page.context());

  // The page is rendered and shown; its program is kept back until the other tab has all that happened.
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const late = new SettlementsPage(await page.context().newPage());
  await late.page.route('**/*.wasm', async (route) => {
    await released;
    await route.continue();
  });
  const requests: string[] = [];
  late.page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await late.open();
  const created: string[] = [];
  for (let number = 0; number < 6; number += 1) created.push((await tidewatch.create(`LATE-${number}`)).id);
  for (const id of created) await expect(settlements.row(id)).toHaveCount(1);
  await expect(late.row(created[0])).toHaveCount(0);

  release();
  await late.isLive();
  for (const id of created) await expect(late.row(id)).toHaveCount(1);
  expect(streams.asked, 'by the stream of the other tab').toEqual([]);
  expect(requests.filter((path) => path.startsWith('/fn/') || path.startsWith('/api/'))).toEqual([]);
  await late.equalsAFreshLoad();
});

test('projects and people do not mix', async ({ page, browser, tidewatch }) => {
  const ann = await tidewatch.addPerson(['operator']);
  await tidewatch.addProject('quay', ann.email, ['operator']);
  const streams = new Streams(page.context());
  const login = new LoginPage(page);
  await login.open('/settlements');
  await login.logIn(ann.email, ann.password);
  const here = new SettlementsPage(page);
  await here.isLive();
  const there = new SettlementsPage(await page.context().newPage());
  await there.open('?project=quay');
  await there.isLive();
  await expect.poll(() => streams.open.length, 'one for each project').toBe(2);

  const other = await browser.newContext();
  const others = new Streams(other);
  const bob = new LoginPage(await other.newPage());
  await bob.open('/settlements');
  await bob.logIn(tidewatch.email, tidewatch.password);
  const elsewhere = new SettlementsPage(other.pages()[0]);
  await elsewhere.isLive();
  expect(others.open, 'and one for another person').toHaveLength(1);

  const created = await tidewatch.create('NOT-MIXED');
  await expect(here.row(created.id)).toBeVisible();
  await expect(elsewhere.row(created.id)).toBeVisible();
  await expect(there.page.getByText('No settlements yet')).toBeVisible();
  expect(streams.asked.filter((request) => request.url().includes('project=quay'))).toHaveLength(1);
  await other.close();
});

test('who logs out in one tab is signed out in all', async ({ page, tidewatch }) => {
  const ann = await tidewatch.addPerson(['operator']);
  const login = new LoginPage(page);
  await login.open('/settlements');
  await login.logIn(ann.email, ann.password);
  await new Dashboard(page).isLive();
  const tabs = await openTabs(page.context(), 2);
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log in');
  for (const tab of tabs) {
    await tab.shows('signed_out');
    await expect(tab.page.getByRole('alert')).toContainText('session has ended');
  }
});

test('where streams are blocked, one tab polls for all', async ({ page, operator, tidewatch }) => {
  const polls = new Set<Request>();
  const ended = (request: Request) => polls.delete(request);
  const begun = (request: Request) => request.url().includes('wait=25') && polls.add(request);
  page.context().on('request', begun).on('requestfinished', ended).on('requestfailed', ended);
  await page.context().route('**/api/v1/events?**', async (route) => {
    if (route.request().resourceType() === 'eventsource') await route.abort();
    else await route.continue();
  });
  const tabs: SettlementsPage[] = [];
  for (let number = 0; number < 4; number += 1) {
    const tab = new SettlementsPage(number === 0 ? page : await page.context().newPage());
    await tab.open();
    await tab.shows('polling', 60_000);
    tabs.push(tab);
  }
  const created = await tidewatch.create('POLLED');
  for (const tab of tabs) {
    await expect(tab.row(created.id)).toBeVisible();
    await tab.shows('polling');
  }
  await expect.poll(() => polls.size).toBe(1);
});

test('where the browser has no locks, a tab has a stream of its own', async ({ page, operator, tidewatch }) => {
  await page.context().addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }));
  const streams = new Streams(page.context());
  const tabs = [new SettlementsPage(page), new SettlementsPage(await page.context().newPage())];
  for (const tab of tabs) {
    await tab.open();
    await tab.isLive();
  }
  await expect.poll(() => streams.open.length).toBe(2);
  const created = await tidewatch.create('ALONE');
  for (const tab of tabs) await expect(tab.row(created.id)).toBeVisible();
});
