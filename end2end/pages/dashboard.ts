import { expect, type Locator, type Page } from '@playwright/test';

/** What every page behind the login has. */
export class Dashboard {
  readonly heading: Locator;
  readonly pill: Locator;

  constructor(readonly page: Page) {
    this.heading = page.locator('main').getByRole('heading', { level: 1 });
    this.pill = page.locator('.pill');
  }

  async isHydrated(): Promise<void> {
    await expect(this.page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  }

  /** Where scripts run, until they do: from then on they send the page's forms. */
  async isReady(javaScriptEnabled: boolean | undefined): Promise<void> {
    if (javaScriptEnabled !== false) await this.isHydrated();
  }

  async isLive(): Promise<void> {
    await this.isHydrated();
    await this.shows('live');
  }

  /** Holds the settlement whose page this is, by the page's own form. */
  async hold(reason: string): Promise<void> {
    await this.page.getByText('Hold…').click();
    await this.page.getByLabel('Reason').fill(reason);
    await this.page.getByRole('button', { name: 'Hold', exact: true }).click();
  }

  async shows(state: string, timeout = 30_000): Promise<void> {
    await expect(this.pill).toHaveAttribute('data-state', state, { timeout });
  }
}

export type Row = { id: string; version: string; status: string; text: string };

/** The list of settlements. */
export class SettlementsPage extends Dashboard {
  readonly rows: Locator;

  constructor(page: Page) {
    super(page);
    this.rows = page.locator('.record-row');
  }

  async open(query = ''): Promise<void> {
    await this.page.goto(`/settlements${query}`);
    await expect(this.heading).toHaveText('Settlements');
  }

  row(id: string): Locator {
    return this.page.locator(`.record-row[data-id="${id}"]`);
  }

  /** The table as a person reads it, without the times that go on by themselves. */
  async read(): Promise<Row[]> {
    return this.rows.evaluateAll((rows) =>
      rows.map((row) => ({
        id: (row as HTMLElement).dataset.id ?? '',
        version: (row as HTMLElement).dataset.version ?? '',
        status: (row as HTMLElement).dataset.status ?? '',
        text: [...row.querySelectorAll('th, td')].slice(0, 4).map((cell) => cell.textContent?.replace(/\s+/g, ' ').trim()).join(' | '),
      })),
    );
  }

  /** Holds once the table is what a page that is loaded afresh shows. */
  async equalsAFreshLoad(): Promise<void> {
    const fresh = await this.page.context().newPage();
    const other = new SettlementsPage(fresh);
    await expect(async () => {
      await fresh.goto(this.page.url());
      expect(await this.read()).toEqual(await other.read());
    }).toPass({ timeout: 20_000 });
    await fresh.close();
  }
}
