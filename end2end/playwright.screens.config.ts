import base from './playwright.config.ts';

// `make screenshots`: every page as it looks, for people to look at. Not a test of the product.
export default { ...base, testDir: 'screens', timeout: 900_000, projects: [{ name: 'screens' }] };
